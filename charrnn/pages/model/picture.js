/* What was written as a picture: PNG files of the same cells as on the page. */
import { drawPictures, laidOut } from "../shared/drawing.js";
import { watched } from "../shared/shown.js";
import { byId, make, showNote } from "../shared/view.js";
import { data } from "./model.js";
import { one, pair } from "./pair.js";
import { followed } from "./read.js";
import { written } from "./takes.js";

/** Return the papers that are at the top, each {paper, head}. */
function papersAtTop() {
  if (written.take.held !== null) {
    return [one];
  }
  if (watched.told) {
    return pair.sides;
  }
  const [opening] = written.papers;
  const isRead = byId("opening").hidden;
  return [{ paper: isRead ? followed : opening, head: make("p") }];
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
export function savePicture() {
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
  pictures.forEach(download);
  const names = pictures.map(({ name }) => name).join(", ");
  showNote("link-note", `The browser was given ${names} to save.`);
}

function imageOf({ canvas, name }) {
  const image = make("img");
  image.src = canvas.toDataURL();
  image.alt = name;
  return image;
}

function download({ canvas, name }) {
  canvas.toBlob((blob) => {
    const anchor = make("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = name;
    anchor.click();
  });
}
