/* What can be kept: the network, a picture of what it wrote, a link with the settings. */
import { drawPictures, laidOut, spelled } from "../shared/drawing.js";
import { counted, grouped } from "../shared/numbers.js";
import { ask, byId, copyLink, make } from "../shared/view.js";
import { network } from "./network.js";
import { markSaved } from "./progress.js";
import { settingsOfLink } from "./settings.js";
import { chosen, fileName, own } from "./sources.js";
import { timeline } from "./timeline.js";

const PICTURED_LINES = 12; // of a text

/** Say what can be saved. */
export function showKept() {
  const { best, looks } = timeline;
  const isSomething = network !== null && best !== null;
  for (const id of ["save", "picture", "time"]) {
    byId(id).disabled = !isSomething;
  }

  const isEarlier = isSomething && best !== looks.at(-1);
  byId("newest").parentElement.hidden = !isEarlier;
  byId("kept").textContent = "";
  if (isEarlier) {
    byId("kept").textContent = `What is saved is its best step, ${grouped(best.updates)}.`;
  }

  for (const name of document.querySelectorAll(".file-name")) {
    name.textContent = fileName(chosen.source);
  }
}

export function save() {
  const isBest = !byId("newest").checked;
  ask("save", { isBest }, ({ bytes, refused }) => {
    if (refused) {
      byId("saved").textContent = refused;
      return;
    }
    markSaved();
    download(new Blob([bytes]), "npz");
  });
}

/** Give the browser a file to save, which has the name of the text. */
function download(blob, ending) {
  const name = `${fileName(chosen.source)}.${ending}`;
  const anchor = make("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  byId("saved").textContent =
    `The browser was given ${name}, ${grouped(blob.size / 1000)} kB, to save.`;
}

/** Save a picture of what was written at four steps, which are about as far from each other on a logarithmic scale. */
export function savePicture() {
  const { looks } = timeline;
  const last = looks.at(-1).updates;
  const steps = [0, last ** 0.5, last ** 0.75, last];
  const pictured = steps.map((step) => looks.find(({ updates }) => updates >= step));

  // A young network has fewer than four looks.
  const columns = [...new Set(pictured)].map(columnOf);
  const title = `A network learns to write: ${chosen.source.name}`;
  const box = laidOut(title, columns, "Learned in a browser, by charrnn");
  const [canvas] = drawPictures(box);
  canvas.toBlob((blob) => download(blob, "png"));
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
  const isOwn = chosen.source === own;
  const query = new URLSearchParams(settingsOfLink());
  if (!isOwn) {
    query.set("text", chosen.source.label);
  }
  history.replaceState(null, "", `#${query}`);

  const without = isOwn ? ", without the text" : "";
  copyLink(`#${query}`, `The link is copied: it has these settings${without}.`, "saved");
}
