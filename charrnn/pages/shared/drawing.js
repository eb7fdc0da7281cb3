/* Pictures: canvases drawn from a layout that the browser makes of cells, so that letters join, marks stand on their
 * letters, and lines run as they do on the page. */
import { rightToLeft } from "./paper.js";
import { visible } from "./text.js";
import { make } from "./view.js";

const SHARP = 2; // pixels of the picture for one of the page
const MOST_LINES = 120; // of a picture: a longer text gets several, because browsers limit the height of one
const OVERLAP = 0.5; // pixels of a coloured box, so that there is no gap to the next

/** Return the cells of a text. */
export function spelled(text) {
  return Array.from(visible(text), (char) => make("span", "cell", char));
}

/** Return a layout: a title, columns, each {head, sheet}, and a line below. It is in the document. */
export function laidOut(title, columns, below) {
  const columnBoxes = columns.map(({ head, sheet }) =>
    make("div", "", make("p", "picture-head", ...spelled(head)), sheet),
  );
  const box = make(
    "div",
    "picture",
    make("p", "picture-title", ...spelled(title)),
    make("div", "picture-columns", ...columnBoxes),
    make("p", "picture-head", ...spelled(below)),
  );
  document.body.append(box);
  return box;
}

/** Return the pieces of a layout that are drawn at once, of one line and one font: {text, font, colour, left, middle}; and
 * the coloured boxes behind them, {colour, left, top, width, height}. */
function piecesOf(box) {
  const pieces = [];
  const boxes = [];
  const origin = box.getBoundingClientRect();
  for (const cell of box.querySelectorAll(".cell")) {
    const style = getComputedStyle(cell);
    const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const parent = cell.parentElement;
    const rectangles = cell.getClientRects();
    for (const { left, top, width, height } of rectangles) {
      const middle = top + height / 2 - origin.top;
      if (!continues(pieces.at(-1), { font, middle, parent })) {
        pieces.push({ text: "", font, middle, parent, left: Infinity, colour: style.color });
      }
      const piece = pieces.at(-1);
      piece.left = Math.min(piece.left, left - origin.left);
      boxes.push({
        colour: style.backgroundColor,
        left: left - origin.left,
        top: top - origin.top,
        width: width + OVERLAP,
        height,
      });
    }
    if (rectangles.length > 0) {
      pieces.at(-1).text += drawnText(cell, style);
    }
  }
  return { pieces, boxes };
}

/** Return what is seen of a cell: the sign before it, and its text, in which a line end may be a space. */
function drawnText(cell, { whiteSpace }) {
  const { content } = getComputedStyle(cell, "::before"); // in quotation marks, or a word such as none
  const [, sign] = /^"(.*)"$/.exec(content) ?? [content, ""];
  const isSpace = whiteSpace === "normal";
  return sign + cell.textContent.replace("\n", isSpace ? " " : "");
}

/** Return whether a cell belongs to a piece: it has its font, its line and its parent. */
function continues(piece, { font, middle, parent }) {
  if (piece === undefined) {
    return false;
  }
  const isInLine = Math.abs(piece.middle - middle) <= 1;
  return piece.font === font && isInLine && piece.parent === parent;
}

/** Return the pictures of a layout, which leaves the document. */
export function drawPictures(box) {
  const layout = piecesOf(box);
  const { offsetWidth: width, offsetHeight: height } = box;
  const block = box.querySelector(".block");
  const start = block.getBoundingClientRect().top - box.getBoundingClientRect().top;
  const tall = MOST_LINES * Number.parseFloat(getComputedStyle(block).lineHeight);
  box.remove();

  // The first picture has what is above the text, and the last one what is below it.
  const count = Math.max(1, Math.ceil((height - start) / tall));
  const pictures = [];
  for (let picture = 0; picture < count; picture++) {
    const isFirst = picture === 0;
    const isLast = picture === count - 1;
    const from = isFirst ? 0 : start + picture * tall;
    const to = isLast ? height : start + (picture + 1) * tall;
    pictures.push(drawPicture(layout, { width, from, to }));
  }
  return pictures;
}

/** Return the picture of a part of a layout, from a height to another. */
function drawPicture({ pieces, boxes }, { width, from, to }) {
  const canvas = make("canvas");
  canvas.width = SHARP * width;
  canvas.height = SHARP * (to - from);
  const context = canvas.getContext("2d");
  context.scale(SHARP, SHARP);
  context.translate(0, -from);

  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, from, width, to - from);
  for (const { colour, left, top, width: boxWidth, height } of boxes) {
    context.fillStyle = colour;
    context.fillRect(left, top, boxWidth, height);
  }

  context.textAlign = "left";
  for (const { text, font, colour, left, middle } of pieces) {
    const isReversed = rightToLeft.test(text.match(/\p{L}/u));
    context.font = font;
    context.fillStyle = colour;
    context.direction = isReversed ? "rtl" : "ltr";
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = context.measureText(text);
    context.fillText(text, left, middle + (up - down) / 2);
  }
  return canvas;
}
