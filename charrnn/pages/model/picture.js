/* What was written as a picture: PNG files of the same cells as on the page. */
import { state } from "../shared/change.js";
import { drawPictures, laidOut } from "../shared/drawing.js";
import { byId, download, make, onClick, showNote } from "../shared/view.js";
import { data } from "./model.js";
import { one, sides } from "./pair.js";
import { followed } from "./read.js";
import { isOfPassage } from "./state.js";
import { opening } from "./write.js";

/** Return the papers that are at the top, each {paper, head}. */
function papersAtTop() {
  if (state.take.held !== null) {
    return [one];
  }
  if (state.watched.told) {
    return sides;
  }
  return [{ paper: isOfPassage() ? followed : opening, head: make("p") }];
}

/** Return a copy of what is shown at the top, to be laid out: a line of text, and a column for each paper. */
function layOut() {
  const columns = papersAtTop().map(({ paper, head }) => {
    const texts = Array.from(head.children, ({ textContent }) => textContent);
    return { head: texts.join("   "), sheet: paper.sheet.cloneNode(true) };
  });
  return laidOut(byId("claim").textContent, columns, data.title);
}

function nameOfPicture(index, count) {
  return count > 1 ? `written-${index + 1}.png` : "written.png";
}

/** Save the pictures. A frame that has no origin may not be allowed to: there they are shown, to be saved by hand. */
function savePicture() {
  const pictures = drawPictures(layOut()).map((canvas, index, { length }) => ({
    canvas,
    name: nameOfPicture(index, length),
  }));
  byId("pictures").replaceChildren();

  const isFramed = window.top !== window && window.origin === "null";
  if (isFramed) {
    byId("pictures").append(...pictures.map(imageOf));
    showNote(
      "link-note",
      "A frame may not save files. Here is the picture: save it with the right mouse button or a long press.",
    );
    return;
  }
  for (const { canvas, name } of pictures) {
    canvas.toBlob((blob) => download(blob, name));
  }
  const names = pictures.map(({ name }) => name).join(", ");
  showNote("link-note", `The browser was given ${names} to save.`);
}

function imageOf({ canvas, name }) {
  const image = make("img");
  image.src = canvas.toDataURL();
  image.alt = name;
  return image;
}

export function startPicture() {
  onClick("picture", savePicture);
}
