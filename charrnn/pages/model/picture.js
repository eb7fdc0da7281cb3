/* What was written as a picture: PNG files of the same cells as on the page. */
import { byId, make, showNote } from "../shared/view.js";
import { drawPictures, laidOut } from "../shared/drawing.js";
import { one, pair } from "./pair.js";
import { data } from "./model.js";
import { watched } from "../shared/shown.js";
import { written } from "./write.js";

/** Return a copy of what is shown at the top, to be laid out: a line of text, and a column for each paper. */
function layOut() {
  const columns =
    written.take.held !== null
      ? [one]
      : watched.told
        ? pair.sides
        : [{ paper: written.papers[0], head: make("p") }];
  return laidOut(
    byId("claim").textContent,
    columns.map(({ paper: { sheet }, head: { children } }) => ({
      head: Array.from(children, ({ textContent }) => textContent).join("   "),
      sheet: sheet.cloneNode(true),
    })),
    data.title,
  );
}

/** Save the pictures. A frame that has no origin may not be allowed to: there they are shown, to be saved by hand. */
export function savePicture() {
  const canvases = drawPictures(layOut());
  const isFramed = window.top !== window && window.origin === "null";
  const names = canvases.map((_, index) =>
    canvases.length > 1 ? `written-${index + 1}.png` : "written.png",
  );
  byId("pictures").replaceChildren(
    ...canvases
      .filter(() => isFramed)
      .map((canvas, index) =>
        Object.assign(make("img"), { src: canvas.toDataURL(), alt: names[index] }),
      ),
  );
  for (const [index, canvas] of canvases.filter(() => !isFramed).entries()) {
    canvas.toBlob((blob) =>
      Object.assign(make("a"), { href: URL.createObjectURL(blob), download: names[index] }).click(),
    );
  }
  showNote(
    "link-note",
    isFramed
      ? "A frame may not save files. Here is the picture: save it with the right mouse button or a long press."
      : `The browser was given ${names.join(", ")} to save.`,
  );
}
