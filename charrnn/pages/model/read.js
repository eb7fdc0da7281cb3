/* Texts that are on the page to be read: the passage that the network did not write, and one of your own. */
import { counted, grouped } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { byId, onClick, showNote } from "../shared/view.js";
import { data, idsOf } from "./model.js";
import { Reading } from "./reading.js";

/** The passage that the network did not write, and the paper at the top that shows it for a number of which no written
 * text tells; the text of one's own. */
export let passage = null;
export let followed = null;
let yours = null;

/** Read the text that was typed, and say how far it is and what was left out. */
function readYours() {
  const { ids, note } = idsOf(byId("source").value);
  const isEmpty = ids.length === 0;
  byId("yours-figure").hidden = isEmpty;
  byId("read-status").textContent = "";
  if (isEmpty) {
    showNote("read-note", note || "Type or paste a text.");
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
  followed = new Paper("followed", "unit");
  passage = new Reading("passage", passagePaper, `a passage of ${data.source}`, () =>
    followed.recolour(),
  );
  followed.onChoose = passagePaper.onChoose;
  byId("source-named").textContent = data.source;

  const yourPaper = new Paper("yours", "surprise");
  yours = new Reading("yours", yourPaper, "your text", showProgress);
  onClick("read-it", readYours);
  byId("yours-colour").addEventListener("change", ({ target }) => {
    yourPaper.colour = target.value;
    yourPaper.recolour();
  });

  passage.read(idsOf(data.passage).ids);
  followed.show(passagePaper.text);
}
