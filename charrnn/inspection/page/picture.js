/* The text that was written as a picture, with its colours: a PNG file, drawn on a canvas. */
"use strict";

const ROW_LENGTH = 64; // characters of a line of the picture
const MOST_ROWS = 120;
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
  return rows.slice(0, MOST_ROWS);
}

/** Draw the take that is shown, and below it what it is. Return the canvas. */
function drawPicture() {
  const { take, cells } = written;
  const style = getComputedStyle(find("written"));
  const title = `${data.title}. Colour: ${find("written-colour").selectedOptions[0].textContent}`;
  const colours = cells.map((cell) => getComputedStyle(cell).backgroundColor);
  const rows = rowsOf(take.ids.map((id, place) => [visible(chars[id]), colours[place - take.start] || "transparent"]));
  rows.push([], Array.from(title, (char) => [char, "transparent"]));
  const canvas = make("canvas");
  const context = canvas.getContext("2d");
  const font = `40px ${style.fontFamily}`; // all is drawn at twice its size, for sharp screens
  context.font = font;
  const wide = context.measureText("m").width;
  Object.assign(canvas, { width: 4 * TALL + ROW_LENGTH * wide, height: 2 * TALL * (rows.length + 2) });
  Object.assign(context, { font, textBaseline: "middle", fillStyle: style.backgroundColor });
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [down, row] of rows.entries()) {
    for (const [column, [char, colour]] of row.entries()) {
      const [left, top] = [2 * TALL + column * wide, 2 * TALL * (down + 1)];
      context.fillStyle = colour;
      context.fillRect(left, top, wide + 1, 2 * TALL);
      context.fillStyle = style.color;
      context.fillText(char, left, top + TALL);
    }
  }
  return canvas;
}

function savePicture() {
  drawPicture().toBlob((blob) => {
    Object.assign(make("a"), { href: URL.createObjectURL(blob), download: "written.png" }).click();
    find("write-status").textContent = "The picture is saved as written.png.";
  });
}
