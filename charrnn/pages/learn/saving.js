/* What can be kept: the network, a picture of what it wrote, a link with the settings. */
import { isNew, state } from "../shared/change.js";
import { drawPictures, laidOut, spelled } from "../shared/drawing.js";
import { counted, grouped } from "../shared/numbers.js";
import { ask, byId, copyLink, download, make, showText } from "../shared/view.js";
import { settingsOfLink } from "./settings.js";
import { fileName, own } from "./sources.js";

const PICTURED_LINES = 12; // of a text

/** Draw what can be saved. */
export function drawKept() {
  const { best, looks } = state;
  for (const id of ["save", "picture", "time"]) {
    byId(id).disabled = best === null;
  }

  const isEarlier = best !== null && best !== looks.at(-1);
  byId("newest").parentElement.hidden = !isEarlier;
  let kept = "";
  if (isEarlier) {
    kept = `What is saved is its best step, ${grouped(best.updates)}.`;
  }
  showText("kept", kept);

  const name = fileName(state.source);
  if (isNew("file-name", name)) {
    for (const element of document.querySelectorAll(".file-name")) {
      element.textContent = name;
    }
  }
}

export function save() {
  const isBest = !byId("newest").checked;
  ask("save", { isBest }, ({ bytes, refused }) => {
    if (refused) {
      showText("saved", refused);
      return;
    }
    state.saved = state.updates;
    give(new Blob([bytes]), "npz");
  });
}

/** Give the browser a file to save, which has the name of the text. */
function give(blob, ending) {
  const name = `${fileName(state.source)}.${ending}`;
  download(blob, name);
  showText("saved", `The browser was given ${name}, ${grouped(blob.size / 1000)} kB, to save.`);
}

/** Save a picture of what was written at four steps, which are about as far from each other on a logarithmic scale. */
export function savePicture() {
  const { looks, source } = state;
  const last = looks.at(-1).updates;
  const steps = [0, last ** 0.5, last ** 0.75, last];
  const pictured = steps.map((step) => looks.find(({ updates }) => updates >= step));

  // A young network has fewer than four looks.
  const columns = [...new Set(pictured)].map(columnOf);
  const title = `A network learns to write: ${source.name}`;
  const box = laidOut(title, columns, "Learned in a browser, by charrnn");
  const [canvas] = drawPictures(box);
  canvas.toBlob((blob) => give(blob, "png"));
}

/** Return the column of a picture for a look. */
function columnOf({ updates, held, text }) {
  const lines = text.split("\n").slice(0, PICTURED_LINES);
  return {
    head: `After ${counted(updates, "step")}, loss ${held.toFixed(2)} bits`,
    sheet: make("div", "block", ...spelled(lines.join("\n"))),
  };
}

/** Put the settings into the address, and copy it where that is allowed. */
export function showLink() {
  const isOwn = state.source === own;
  const query = new URLSearchParams(settingsOfLink());
  if (!isOwn) {
    query.set("text", state.source.label);
  }
  history.replaceState(null, "", `#${query}`);

  const without = isOwn ? ", without the text" : "";
  copyLink(`#${query}`, `The link is copied: it has these settings${without}.`, "saved");
}
