/* The text that was written as a picture, with the colours of the unit: PNG files, drawn on a canvas. */
"use strict";
const ROW_LENGTH = 64; // characters of a line of the picture
const ROWS_EACH = 240; // lines of a picture: a longer text gets several, because browsers limit the height of one
const TALL = 32; // pixels of a line, and of the edge

/** Divide characters, [character, colour], into rows: at line ends and, before a word, at ROW_LENGTH. */
function rowsOf(characters) {
  const rows = [[]];
  for (const each of characters) {
    const row = rows[rows.length - 1];
    if (each[0] === "\n") {
      rows.push([]);
      continue;
    }
    row.push(each);
    if (row.length > ROW_LENGTH) {
      const space = row.findLastIndex(([char], place) => char === " " && place < ROW_LENGTH);
      rows.push(row.splice(space < 0 ? ROW_LENGTH : space + 1));
    }
  }
  return rows;
}

/** Return the pictures of the take that is shown, as canvases. The last lines of each say what it is. */
function drawPictures() {
  const { take, papers: [{ cells }] } = written;
  const rows = rowsOf(take.ids.map((id, place) => [visible(chars[id]), cells[place].style.background]));
  const count = Math.ceil(rows.length / ROWS_EACH);
  return Array.from({ length: count }, (_, index) => {
    const title = `${data.title}. ${find("claim").textContent}${count > 1 ? ` Part ${index + 1} of ${count}.` : ""}`;
    const part = rows.slice(index * ROWS_EACH, (index + 1) * ROWS_EACH);
    return drawRows([...part, [], ...rowsOf(Array.from(title, (char) => [char, ""]))]);
  });
}

function drawRows(rows) {
  const style = getComputedStyle(document.body);
  const canvas = make("canvas");
  const context = canvas.getContext("2d");
  const font = "40px ui-monospace, Menlo, Consolas, monospace"; // all is drawn at twice its size, for sharp screens
  context.font = font;
  const wide = context.measureText("m").width;
  Object.assign(canvas, { width: 4 * TALL + ROW_LENGTH * wide, height: 2 * TALL * (rows.length + 2) });
  Object.assign(context, { font, textBaseline: "middle" });
  const fill = (colour, ...box) => {
    context.fillStyle = colour.replace(/var\((.*?)\)/, (_, name) => style.getPropertyValue(name)) || "transparent";
    context.fillRect(...box);
  };
  fill(style.backgroundColor, 0, 0, canvas.width, canvas.height);
  for (const [down, row] of rows.entries()) {
    for (const [column, [char, colour]] of row.entries()) {
      const [left, top] = [2 * TALL + column * wide, 2 * TALL * (down + 1)];
      fill(colour, left, top, wide + 1, 2 * TALL);
      context.fillStyle = style.color;
      context.fillText(char, left, top + TALL);
    }
  }
  return canvas;
}

/** Save the pictures. A frame that has no origin may not be allowed to: there they are shown, to be saved by hand. */
function savePicture() {
  const canvases = drawPictures();
  const isFramed = window.top !== window && window.origin === "null";
  const names = canvases.map((_, index) => (canvases.length > 1 ? `written-${index + 1}.png` : "written.png"));
  find("pictures").replaceChildren(...canvases.filter(() => isFramed).map((canvas, index) => (
    Object.assign(make("img"), { src: canvas.toDataURL(), alt: names[index] }))));
  for (const [index, canvas] of canvases.filter(() => !isFramed).entries()) {
    canvas.toBlob((blob) => Object.assign(make("a"), { href: URL.createObjectURL(blob), download: names[index] }).click());
  }
  find("write-status").textContent = isFramed
    ? "A frame may not save files. Here is the picture: save it with the right mouse button or a long press."
    : `The browser was given ${names.join(", ")} to save.`;
}
