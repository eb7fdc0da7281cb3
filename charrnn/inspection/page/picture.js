/* The text that was written as a picture, with its colours: a PNG file, drawn on a canvas. */
"use strict";

const COLUMNS = 64; // characters of a line of the picture
const MOST_ROWS = 120;

/** Return the characters as rows of [character, colour], broken at line ends and, before a word, at COLUMNS. */
function rowsOf(cells) {
  const rows = [[]];
  for (const cell of cells) {
    const row = rows[rows.length - 1];
    if (cell[0] === "\n") {
      rows.push([]);
      continue;
    }
    row.push(cell);
    if (row.length > COLUMNS) {
      const space = row.findLastIndex(([char], place) => char === " " && place < COLUMNS);
      rows.push(row.splice(space < 0 ? COLUMNS : space + 1));
    }
  }
  return rows.slice(0, MOST_ROWS);
}

/** Draw the take that is shown, and below it where it comes from. Return the canvas. */
function drawPicture() {
  const { take, cells } = written;
  const rows = rowsOf(take.ids.map((id, place) => {
    const cell = cells.get(place);
    return [visible(chars[id]), cell ? getComputedStyle(cell).backgroundColor : null];
  }));
  const style = getComputedStyle(find("written"));
  const [size, height, edge] = [20, 32, 32];
  const canvas = make("canvas");
  const context = canvas.getContext("2d");
  const font = `${size}px ${style.fontFamily}`;
  context.font = font;
  const width = context.measureText("m").width;
  const scale = 2;
  canvas.width = scale * (2 * edge + COLUMNS * width);
  canvas.height = scale * (2 * edge + (rows.length + 2) * height);
  context.scale(scale, scale);
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = "middle";
  context.font = font;
  const write = (text, column, row, colour) => {
    context.fillStyle = colour;
    context.fillText(text, edge + column * width, edge + (row + 0.5) * height);
  };
  for (const [down, row] of rows.entries()) {
    for (const [column, [char, colour]] of row.entries()) {
      if (colour) {
        context.fillStyle = colour;
        context.fillRect(edge + column * width, edge + down * height, width + 0.5, height);
      }
      write(char, column, down, style.color);
    }
  }
  const colouring = find("written-colour").selectedOptions[0].textContent;
  write(`${data.title}. Colour: ${colouring}`, 0, rows.length + 1, getComputedStyle(find("subtitle")).color);
  return canvas;
}

function savePicture() {
  drawPicture().toBlob((blob) => {
    const link = make("a");
    link.href = URL.createObjectURL(blob);
    link.download = "written.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    find("write-status").textContent = "The picture is saved as written.png.";
  });
}

if (typeof module === "object") { // in node, for the tests
  module.exports = { rowsOf };
}
