/* A picture of what was learned: what the network wrote at some steps, in columns. */
import { make } from "../page/view.js";
import { rightToLeft } from "../page/paper.js";
import { visible } from "../page/text.js";

const [WIDE, MARGIN, TOP, ROW] = [1200, 48, 116, 27]; // pixels
const SHARP = 2; // pixels of the picture for one of these

/** Return the lines of a text in a column. */
function linesOf(context, text, width) {
  return visible(text).split("\n").flatMap((line) => {
    const rows = [""];
    for (const word of line.split(/(?<=\s)/)) {
      const isFull = context.measureText(rows.at(-1) + word).width > width;
      rows.push(isFull ? word : rows.pop() + word);
    }
    return rows;
  });
}

/** Return a canvas with a title, and columns, each {head, text}. */
export function pictureOf(title, columns) {
  const canvas = make("canvas");
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.body);
  const [font, across] = [`19px ${style.getPropertyValue("--serif")}`, (WIDE - MARGIN) / columns.length];
  context.font = font;
  const texts = columns.map(({ text }) => linesOf(context, text, across - MARGIN));
  const height = TOP + ROW * (2 + Math.max(...texts.map(({ length }) => length)));
  const write = (text, own, colour, left, top) => {
    Object.assign(context, { font: own, fillStyle: style.getPropertyValue(`--${colour}`),
      direction: rightToLeft.test(text) ? "rtl" : "ltr" });
    context.fillText(text, context.direction === "rtl" ? left + across - MARGIN : left, top);
  };
  Object.assign(canvas, { width: SHARP * WIDE, height: SHARP * height });
  context.scale(SHARP, SHARP);
  context.fillStyle = style.getPropertyValue("--page");
  context.fillRect(0, 0, WIDE, height);
  write(title, `bold 34px ${style.getPropertyValue("--serif")}`, "ink", MARGIN, 64);
  for (const [index, { head }] of columns.entries()) {
    const left = MARGIN + index * across;
    write(head, `bold 16px ${style.getPropertyValue("--sans")}`, "accent", left, TOP);
    texts[index].forEach((line, row) => { write(line, font, "ink", left, TOP + ROW * (row + 1.3)); });
  }
  return canvas;
}
