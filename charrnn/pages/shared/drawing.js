/* Pictures: canvases drawn from a layout that the browser makes of cells, so that letters join, marks stand on their
 * letters, and lines run as they do on the page. */
import { make } from "./view.js";
import { rightToLeft } from "./paper.js";
import { visible } from "./text.js";

const SHARP = 2; // pixels of the picture for one of the page
const MOST_LINES = 120; // of a picture: a longer text gets several, because browsers limit the height of one

/** Return the cells of a text. */
export const spelled = (text) => Array.from(visible(text), (char) => make("span", "cell", char));

/** Return a layout: a title, columns, each {head, sheet}, and a line below. It is in the document. */
export function laidOut(title, columns, below) {
  const box = make(
    "div",
    "picture",
    make("p", "picture-title", ...spelled(title)),
    make(
      "div",
      "picture-columns",
      ...columns.map(({ head, sheet }) =>
        make("div", "", make("p", "picture-head", ...spelled(head)), sheet),
      ),
    ),
    make("p", "picture-head", ...spelled(below)),
  );
  document.body.append(box);
  return box;
}

/** Return the pieces of a layout that are drawn at once, of one line and one font: {text, font, colour, left, middle}; and
 * the coloured boxes behind them. */
function piecesOf(box) {
  const [pieces, boxes] = [[], []];
  const origin = box.getBoundingClientRect();
  let last = {};
  for (const cell of box.querySelectorAll(".cell")) {
    const style = getComputedStyle(cell);
    const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    for (const { left, top, width, height } of cell.getClientRects()) {
      const middle = top + height / 2 - origin.top;
      if (
        last.font !== font ||
        Math.abs(last.middle - middle) > 1 ||
        last.parent !== cell.parentElement
      ) {
        last = {
          text: "",
          font,
          middle,
          parent: cell.parentElement,
          left: Infinity,
          colour: style.color,
        };
        pieces.push(last);
      }
      last.left = Math.min(last.left, left - origin.left);
      boxes.push([
        style.backgroundColor,
        left - origin.left,
        top - origin.top,
        width + 0.5,
        height,
      ]);
    }
    if (cell.getClientRects().length) {
      last.text += cell.textContent.replace("\n", "");
    }
  }
  return { pieces, boxes };
}

/** Return the pictures of a layout, which leaves the document. */
export function drawPictures(box) {
  const { pieces, boxes } = piecesOf(box);
  const { offsetWidth: width, offsetHeight: height } = box;
  const top =
    box.querySelector(".block").getBoundingClientRect().top - box.getBoundingClientRect().top;
  const tall =
    MOST_LINES * Number.parseFloat(getComputedStyle(box.querySelector(".block")).lineHeight);
  box.remove();
  const count = Math.max(1, Math.ceil((height - top) / tall));
  return Array.from({ length: count }, (_, index) => {
    const [from, to] = [
      index ? top + index * tall : 0,
      index < count - 1 ? top + (index + 1) * tall : height,
    ];
    const canvas = Object.assign(make("canvas"), {
      width: SHARP * width,
      height: SHARP * (to - from),
    });
    const context = canvas.getContext("2d");
    context.scale(SHARP, SHARP);
    context.translate(0, -from);
    for (const [colour, ...place] of [
      [getComputedStyle(document.body).backgroundColor, 0, from, width, to - from],
      ...boxes,
    ]) {
      context.fillStyle = colour;
      context.fillRect(...place);
    }
    for (const { text, font, colour, left, middle } of pieces) {
      Object.assign(context, {
        font,
        fillStyle: colour,
        textAlign: "left",
        direction: rightToLeft.test(text.match(/\p{L}/u)) ? "rtl" : "ltr",
      });
      const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = context.measureText(text);
      context.fillText(text, left, middle + (up - down) / 2);
    }
    return canvas;
  });
}
