/* Texts that the network reads: the passage that it did not write, and one of your own. Piece by piece the page gets to know
 * what the network makes of each character. */
import { change, isNew, state } from "../shared/change.js";
import { counted, grouped, meanOf } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { recordsOf } from "../shared/shown.js";
import { ask, byId, onClick, showNote, showText } from "../shared/view.js";
import { data, idsOf } from "./model.js";
import { goTo } from "./state.js";

const PIECE = 250; // characters
const WARM = 100; // characters after which a state is no longer that of the beginning

/** A text {ids, seen, known, at}: of its first `known` characters it is known what the network made of them; `at` is the one
 * that the cell and the strip show. */
class Reading {
  /** @param {string} key of the text in the worker, and of the element that shows it @param {string} what it is */
  constructor(key, what) {
    this.key = key;
    this.what = what;
    this.paper = new Paper(key, "surprise");
    this.ids = [];
    this.seen = [];
    this.paper.onChoose = (place) => {
      if (place >= 0) {
        goTo(this, place);
      }
    };
  }

  get known() {
    return this.seen.length;
  }

  /** Have the network read the text from its beginning. It is shown at once, and coloured when it was read. */
  read(ids) {
    const { key } = this;
    this.ids = ids;
    this.seen = [];
    this.at = Math.min(WARM, ids.length - 1);
    this.paper.show({
      ids,
      start: 0,
      recordAt: (place) => this.seen[place],
      inWorker: () => ({ key }),
    });

    const pieces = [];
    for (let start = 0; start < ids.length; start += PIECE) {
      pieces.push(ids.slice(start, start + PIECE));
    }
    ask("read", { key, pieces }, (answer) => this.add(answer));
    change({ reading: this });
  }

  /** Add what is known of a piece. */
  add(answer) {
    const before = this.known;
    this.seen.push(...recordsOf(answer));
    this.paper.recolour(before, this.known);
    change();
  }
}

/** The passage that the network did not write, and the paper at the top that shows it for a number of which no written
 * text tells; the text of one's own. */
const passage = new Reading("passage", `a passage of ${data.source}`);
export const followed = new Paper("followed", "unit");
const yours = new Reading("yours", "your text");

/** Read the text that was typed, and say how far it is and what was left out. */
function readYours() {
  const { ids, note } = idsOf(byId("source").value);
  state.isYoursShown = ids.length > 0;
  if (state.isYoursShown) {
    showNote("read-note", note);
    yours.read(ids);
  } else {
    showNote("read-note", note || "Type or paste a text.");
    change();
  }
}

/** Draw the colours of the texts that are read, and how far one's own is. */
export function drawReadings() {
  const { isYoursShown, yourColour } = state;
  followed.colourBy("unit");
  if (isNew("followed", passage.known)) {
    followed.recolour();
  }
  yours.paper.colourBy(yourColour);

  const { ids, known } = yours;
  if (!isNew("yours", isYoursShown, ids, known)) {
    return;
  }
  const isDone = known === ids.length;
  let status = `Reading: ${grouped(known)} of ${counted(ids.length, "character")}.`;
  if (isDone) {
    status = `Read ${counted(known, "character")}${meanSurprise(yours)}.`;
  }
  showText("read-status", isYoursShown ? status : "");
  byId("yours-figure").hidden = !isYoursShown;

  const progress = byId("read-progress");
  progress.hidden = isDone;
  progress.value = known;
  progress.max = ids.length;
}

/** Say how surprising a text was. The first character surprises nobody. */
function meanSurprise({ seen, known }) {
  if (known < 2) {
    return "";
  }
  const surprises = seen.slice(1).map(({ surprise }) => surprise);
  return `, ${meanOf(surprises).toFixed(2)} bits of surprise on average`;
}

export function startRead() {
  showText("source-named", data.source);
  onClick("read-it", readYours);
  byId("yours-colour").addEventListener("change", ({ target }) => {
    change({ yourColour: target.value });
  });

  passage.read(idsOf(data.passage).ids);
  followed.show(passage.paper.text);
  followed.onChoose = passage.paper.onChoose;
}
