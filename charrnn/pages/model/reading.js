/* Texts that the network reads. Piece by piece the page gets to know what the network makes of each character. */
import { recordsOf } from "../shared/shown.js";
import { ask } from "../shared/view.js";

const PIECE = 250; // characters
const WARM = 100; // characters after which a state is no longer that of the beginning

/** The text that the cell and the strip show: the one that was read or chosen last. They listen to "placechange", when
 * another place of it is shown, and to "piecechange", when more of it was read. */
export let reading = null;

function tell(change) {
  document.body.dispatchEvent(new Event(change));
}

export class Reading {
  /** @param {string} key of the text in the worker @param {Paper} paper that shows it @param {string} what it is
   * @param {Function} onPiece is called when a piece was read */
  constructor(key, paper, what, onPiece = () => {}) {
    this.key = key;
    this.paper = paper;
    this.what = what;
    this.onPiece = onPiece;
    this.ids = [];
    this.seen = [];
    this.known = 0;
    paper.onChoose = (place) => {
      if (place >= 0) {
        goTo(this, place);
      }
    };
  }

  /** Have the network read the text from its beginning. It is shown at once, and coloured when it was read. */
  read(ids) {
    const { key } = this;
    this.ids = ids;
    this.seen = [];
    this.known = 0;
    this.bits = 0;
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
    reading = this;
    ask("read", { key, pieces }, (answer) => this.add(answer));
  }

  /** Add what is known of a piece. */
  add(answer) {
    const before = this.known;
    this.seen.push(...recordsOf(answer));
    this.known = this.seen.length;
    for (const bits of answer.surprises) {
      const isFirst = Number.isNaN(bits);
      this.bits += isFirst ? 0 : bits;
    }
    this.paper.recolour(before, this.known);
    this.onPiece();

    if (this !== reading) {
      return;
    }
    const isShownPlace = before <= this.at && this.at < this.known;
    if (isShownPlace) {
      goTo(this, this.at);
    } else {
      tell("piecechange");
    }
  }
}

/** Show a place of a text in the cell and in the strip. */
export function goTo(text, place) {
  reading = text;
  if (place < text.known) {
    text.at = place;
    tell("placechange");
  }
}
