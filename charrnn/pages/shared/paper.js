/* A text on the page. Each character is a cell, coloured by what is known of it. One character is chosen, with the
 * pointer or the keys, and guesses.js shows beside it what the network expected there, and why.
 * A text is {ids, start, recordAt, inWorker}: recordAt(place) returns what is known of a character, see recordsOf, or
 * undefined; inWorker() what the worker needs to know the text. */
import { isNew, state } from "./change.js";
import { hideGuesses, shadeOf, showGuesses, spokenOf } from "./guesses.js";
import { chars, COLOURS, longLine, textOf } from "./shown.js";
import { visible } from "./text.js";
import { byId, make, moveByKeys } from "./view.js";

const LONG_BLOCK = 2000; // characters after which a block ends with a line
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -60, ArrowDown: 60 }; // characters
const LAST_LETTER = /\p{L}(?=\P{L}*$)/u;
export const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

export class Paper {
  /** @param {string} id of the element @param {string} colour one of COLOURS
   * @param {Function} goOn goOn(place, id) writes another character there */
  constructor(id, colour, goOn = null) {
    this.box = byId(id);
    this.colour = colour;
    this.goOn = goOn;
    this.at = -1;
    this.end = 0;
    this.cells = [];
    this.shaded = [];

    // A screen reader would spell the cells: it gets the plain text.
    this.plain = make("p", "unseen");
    this.sheet = make("div");
    this.sheet.ariaHidden = "true";
    this.box.append(this.plain, this.sheet);
    this.listen();
  }

  listen() {
    this.sheet.addEventListener("pointermove", ({ target, pointerType }) => {
      const isCharacter = target.place !== undefined;
      if (pointerType === "mouse" && isCharacter && target.place !== this.at) {
        this.choose(target.place);
      }
    });
    this.box.parentElement.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse") {
        hideGuesses();
      }
    });
    this.sheet.addEventListener("click", ({ target }) => this.choose(target.place ?? -1));
    moveByKeys(
      this.box,
      STEPS,
      () => (this.at < 0 ? this.end : this.at),
      () => this.end - 1,
      (place) => this.moveTo(place),
      () => this.isReversed(),
    );
  }

  /** Whether a text stands here that the document had, and nothing of which more is known. */
  get isPrinted() {
    return this.box.querySelector(".printed") !== null;
  }

  /** Return whether the last letter up to the one that is chosen is of a script that runs from right to left. */
  isReversed() {
    const before = textOf(this.text.ids.slice(0, this.at + 1));
    return rightToLeft.test(before.match(LAST_LETTER));
  }

  /** Show another text. */
  show(text) {
    this.text = text;
    this.cells = [];
    this.shaded = [];
    this.end = 0;
    this.at = -1;
    this.box.querySelector(".printed")?.remove();
    this.sheet.replaceChildren();
    this.beginBlock(0);
    this.grow();
    this.settle();
  }

  /** Show the characters that are new. */
  grow() {
    const { ids } = this.text;
    for (let place = this.end; place < ids.length; place++) {
      if (this.beginsBlock(place)) {
        this.beginBlock(place);
      }
      this.block.append(this.cellOf(place));
    }
    this.end = ids.length;
    this.onChange?.();
  }

  /** Return whether a block begins at a place: after a blank line, or any line end of a block that is long. Only the last
   * block is laid out again when the text grows. */
  beginsBlock(place) {
    const isAfterLine = this.charAt(place - 1) === "\n" && this.charAt(place) !== "\n";
    const isAfterBlank = this.charAt(place - 2) === "\n";
    const isLong = place - this.block.start > LONG_BLOCK;
    return isAfterLine && (isAfterBlank || isLong);
  }

  beginBlock(start) {
    this.block = make("div", "block");
    this.block.start = start;
    this.sheet.append(this.block);
  }

  charAt(place) {
    return chars[this.text.ids[place]];
  }

  cellOf(place) {
    const char = this.charAt(place);
    const record = this.text.recordAt(place);
    const cell = make("span", this.classOf(place, record), visible(char));
    cell.place = place;
    this.cells[place] = cell;

    if (char === "\n") {
      this.markLineEnd(place);
    }
    // A line that begins with a space stays on its own.
    if (this.charAt(place - 1) === "\n" && /\s/.test(char)) {
      this.cells[place - 1].classList.remove("soft");
    }
    this.colourCell(place, record);
    return cell;
  }

  classOf(place, record) {
    if (place < this.text.start) {
      return "cell prime";
    }
    return record?.isChosen ? "cell chosen" : "cell";
  }

  /** Mark the end of an empty line, and one that is there for the layout only. */
  markLineEnd(place) {
    const { ids, start } = this.text;
    const lastEnd = place === 0 ? -1 : ids.lastIndexOf(ids[place], place - 1);
    const length = place - lastEnd - 1;
    const next = this.charAt(place + 1) ?? "";
    // A network that knows lines of some length takes a beginning for the middle of one.
    const isOfBeginning = lastEnd < 0 && start > 0 && place >= start && longLine < Infinity;
    const isLong = length >= longLine || isOfBeginning;
    const { classList } = this.cells[place];
    classList.add("line-end");
    classList.toggle("blank", length === 0);
    classList.toggle("soft", isLong && !/\s/.test(next));
  }

  colourCell(place, record) {
    if (record) {
      COLOURS[this.colour](this.cells[place], record);
    }
  }

  /** Colour the text in one of COLOURS, unless it has this colour, which may be that of what is watched. */
  colourBy(colour) {
    this.colour = colour;
    const watched = colour === "unit" ? state.watched : null;
    if (isNew(this, colour, watched)) {
      this.recolour();
    }
  }

  recolour(from = 0, to = this.end) {
    for (let place = from; place < to; place++) {
      this.colourCell(place, this.text.recordAt(place));
    }
  }

  /** Let a screen reader have the text as it is now. */
  settle() {
    this.plain.textContent = visible(textOf(this.text.ids));
  }

  /** Choose a character, or none (-1), and show what was expected there. */
  choose(place) {
    this.cells[this.at]?.classList.remove("framed");
    this.cells[place]?.classList.add("framed");
    this.at = place;
    showGuesses(this, place);
    this.onChoose?.(place);
  }

  /** Choose a character with the keys: it comes into sight, and a screen reader says what was expected. */
  moveTo(place) {
    this.choose(place);
    this.cells[place].scrollIntoView({ block: "nearest" });
    byId("spoken").textContent = spokenOf(this.charAt(place), this.text.recordAt(place));
  }

  /** Shade pieces of the text, [from, to], by the bits that each moved a guess: of more in one colour, less in another. */
  shade(pieces, bits) {
    for (const { style } of this.shaded) {
      style.boxShadow = "";
    }
    this.shaded = [];
    for (const [index, [from, to]] of pieces.entries()) {
      for (const cell of this.cells.slice(from, to)) {
        cell.style.boxShadow = shadeOf(bits[index]);
        this.shaded.push(cell);
      }
    }
  }
}
