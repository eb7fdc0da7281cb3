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

/** Return the pictures of the take that is shown, as canvases, each with a line that says what it is. */
function drawPictures() {
  const { take, papers: [{ cells }] } = written;
  const characters = take.ids.map((id, place) => [visible(chars[id]), cells[place].style.background || "transparent"]);
  const rows = rowsOf(characters);
  const count = Math.ceil(rows.length / ROWS_EACH);
  return Array.from({ length: count }, (_, index) => {
    const part = count > 1 ? ` Part ${index + 1} of ${count}.` : "";
    const title = `${data.title}. ${find("claim").textContent}${part}`;
    const said = rowsOf(Array.from(title, (char) => [char, "transparent"]));
    return drawRows([...rows.slice(index * ROWS_EACH, (index + 1) * ROWS_EACH), [], ...said]);
  });
}

function drawRows(rows) {
  const style = getComputedStyle(find("opening"));
  const canvas = make("canvas");
  const context = canvas.getContext("2d");
  const font = "40px ui-monospace, Menlo, Consolas, monospace"; // all is drawn at twice its size, for sharp screens
  context.font = font;
  const wide = context.measureText("m").width;
  Object.assign(canvas, { width: 4 * TALL + ROW_LENGTH * wide, height: 2 * TALL * (rows.length + 2) });
  Object.assign(context, { font, textBaseline: "middle", fillStyle: style.backgroundColor });
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [down, row] of rows.entries()) {
    for (const [column, [char, colour]] of row.entries()) {
      const [left, top] = [2 * TALL + column * wide, 2 * TALL * (down + 1)];
      context.fillStyle = resolved(colour);
      context.fillRect(left, top, wide + 1, 2 * TALL);
      context.fillStyle = style.color;
      context.fillText(char, left, top + TALL);
    }
  }
  return canvas;
}

/** Return a colour with the variables of page.css replaced, as a canvas needs it. */
function resolved(colour) {
  return colour.replace(/var\((.*?)\)/, (_, name) => getComputedStyle(document.documentElement).getPropertyValue(name));
}

/** Save the pictures. A frame that is not allowed to save anything shows them instead, to be saved by hand. */
function savePicture() {
  const canvases = drawPictures();
  const names = canvases.map((_, index) => (canvases.length > 1 ? `written-${index + 1}.png` : "written.png"));
  let isFramed = false;
  try {
    isFramed = window.top !== window && !window.frameElement;
  } catch {
    isFramed = true;
  }
  find("pictures").replaceChildren();
  for (const [index, canvas] of canvases.entries()) {
    if (isFramed) {
      find("pictures").append(Object.assign(make("img"), { src: canvas.toDataURL(), alt: names[index] }));
    } else {
      canvas.toBlob((blob) => {
        Object.assign(make("a"), { href: URL.createObjectURL(blob), download: names[index] }).click();
      });
    }
  }
  find("write-status").textContent = isFramed
    ? "A frame may not save files. Here is the picture: save it with the right mouse button or a long press."
    : `The browser has ${names.join(", ")} to save.`;
}
