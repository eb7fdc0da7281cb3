/* Texts that are on the page to be read: the passage that the network did not write, and one of your own. */
import { counted, grouped } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { byId, onClick, showNote } from "../shared/view.js";
import { data, idsOf } from "./model.js";
import { Reading } from "./reading.js";

let yours = null; // the Reading of the text of one's own

/** Read the text that was typed, and say how far it is and what was left out. */
function readYours() {
  const { ids, note } = idsOf(byId("source").value);
  const isEmpty = ids.length === 0;
  byId("yours-figure").hidden = isEmpty;
  byId("read-status").textContent = "";
  if (isEmpty) {
    showNote("read-note", "Type or paste a text with characters that the network knows.");
    return;
  }
  showNote("read-note", note);
  yours.read(ids);
  showProgress();
}

function showProgress() {
  const { ids, known } = yours;
  const isDone = known === ids.length;
  let status = `Reading: ${grouped(known)} of ${counted(ids.length, "character")}.`;
  if (isDone) {
    status = `Read ${counted(known, "character")}${meanSurprise(yours)}.`;
  }
  byId("read-status").textContent = status;

  const progress = byId("read-progress");
  progress.hidden = isDone;
  progress.value = known;
  progress.max = ids.length;
}

/** Say how surprising a text was. The first character surprises nobody. */
function meanSurprise({ bits, known }) {
  if (known < 2) {
    return "";
  }
  return `, ${(bits / (known - 1)).toFixed(2)} bits of surprise on average`;
}

export function startRead() {
  const passagePaper = new Paper("passage", "surprise");
  const passage = new Reading("passage", passagePaper, `a passage of ${data.source}`);
  byId("source-named").textContent = data.source;

  const yourPaper = new Paper("yours", "surprise");
  yours = new Reading("yours", yourPaper, "your text", showProgress);
  onClick("read-it", readYours);
  byId("yours-colour").addEventListener("change", ({ target }) => {
    yourPaper.colour = target.value;
    yourPaper.recolour();
  });

  passage.read(idsOf(data.passage).ids);
}
