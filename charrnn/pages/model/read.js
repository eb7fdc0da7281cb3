/* Texts that the network reads: the passage that it did not write, and one of your own. Piece by piece the page gets to
 * know what the network makes of each character. */
import { Paper } from "../shared/paper.js";
import { recordsOf } from "../shared/shown.js";
import { ask, byId, onClick, showNote } from "../shared/view.js";
import { counted, encode, grouped } from "../shared/text.js";
import { data, places } from "./model.js";
import { drawStrip, showStrip } from "./strip.js";
import { showCell } from "./cell.js";

const PIECE = 250; // characters
const WARM = 100; // characters after which a state is no longer that of the beginning

let yours = null; // the Reading of the text of one's own
export let reading = null; // the text that the cell and the strip show: the one that was read or chosen last

class Reading {
  /** @param {string} key of the text in the worker @param {Paper} paper that shows it @param {string} what it is */
  constructor(key, paper, what) {
    Object.assign(this, { key, paper, what, ids: [], seen: [], known: 0 });
    paper.onChoose = (place) => place >= 0 && goTo(this, place);
  }

  /** Have the network read the text from its beginning. It is shown at once, and coloured when it was read. */
  read(ids) {
    Object.assign(this, { ids, seen: [], known: 0, bits: 0, at: Math.min(WARM, ids.length - 1) });
    this.paper.show({
      ids,
      start: 0,
      recordAt: (place) => this.seen[place],
      inWorker: () => ({ key: this.key }),
    });
    const pieces = Array.from({ length: Math.ceil(ids.length / PIECE) }, (_, index) =>
      ids.slice(index * PIECE, (index + 1) * PIECE),
    );
    reading = this;
    ask("read", { key: this.key, pieces }, (found) => this.add(found));
  }

  add(found) {
    const { known } = this;
    this.known = this.seen.push(...recordsOf(found));
    this.bits += found.surprises.reduce((sum, bits) => sum + (bits || 0), 0); // the first character has none
    this.paper.recolour(known, this.known);
    this.onPiece?.();
    if (this === reading && known <= this.at && this.at < this.known) {
      goTo(this, this.at);
    } else if (this === reading) {
      drawStrip();
    }
  }
}

/** Show a place of a text in the cell and in the strip. */
export function goTo(text, place) {
  reading = text;
  if (place < text.known) {
    text.at = place;
    showStrip();
    showCell();
  }
}

/** Read the text that was typed, and say how far it is and what was left out. */
function readYours() {
  const { ids, note } = encode(byId("source").value, places, data.nearest);
  showNote(
    "read-note",
    ids.length ? note : "Type or paste a text with characters that the network knows.",
  );
  byId("yours-figure").hidden = !ids.length;
  byId("read-status").textContent = "";
  if (ids.length) {
    yours.read(ids);
    showProgress();
  }
}

function showProgress() {
  const { ids, known, bits } = yours;
  const isDone = known === ids.length;
  byId("read-status").textContent = isDone
    ? `Read ${counted(known, "character")}${known > 1 ? `, ${(bits / (known - 1)).toFixed(2)} bits of surprise on average` : ""}.`
    : `Reading: ${grouped(known)} of ${counted(ids.length, "character")}.`;
  Object.assign(byId("read-progress"), { hidden: isDone, value: known, max: ids.length });
}

export function startRead() {
  const passage = new Reading(
    "passage",
    new Paper("passage", "surprise"),
    `a passage of ${data.source}`,
  );
  byId("source-named").textContent = data.source;
  yours = Object.assign(new Reading("yours", new Paper("yours", "surprise"), "your text"), {
    onPiece: showProgress,
  });
  onClick("read-it", readYours);
  byId("yours-colour").addEventListener("change", ({ target }) => {
    yours.paper.colour = target.value;
    yours.paper.recolour();
  });
  passage.read(encode(data.passage, places, data.nearest).ids);
}
