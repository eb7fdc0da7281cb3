/* A text on the page. Each character is a cell, coloured by what is known of it. One character is chosen, with the
 * pointer or the keys, and a box beside it shows what the network expected there, and shades below the characters before
 * it show why. A text is {ids, start, recordAt, inWorker}: recordAt(place) returns what is known of a character, see
 * recordsOf, or undefined; inWorker() what the worker needs to know the text. */
import { COLOURS, chars, longLine, textOf } from "./shown.js";
import { ask, byId, make, makeButton, moveByKeys } from "./view.js";
import { glyph, nameOf, percent, visible } from "./text.js";

const LONG_BLOCK = 2000; // characters after which a block ends with a line
const [LEAST_MOVED, MOST_MOVED] = [0.01, 4]; // bits from which on there is a shade, and it has its full strength
const LEFT_OUT = { letters: 50, words: 200 }; // characters before one that are left out to see what they did
let guessed = null; // the paper of which a character is explained
export const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

export class Paper {
  /** @param {string} id of the element @param {string} colour one of COLOURS
   * @param {Function} goOn goOn(place, id) writes another character there */
  constructor(id, colour, goOn = null) {
    Object.assign(this, { box: byId(id), colour, goOn, at: -1, end: 0, cells: [] });
    this.plain = make("p", "unseen"); // for a screen reader, which would spell the cells
    this.sheet = Object.assign(make("div"), { ariaHidden: "true" });
    this.box.append(this.plain, this.sheet);
    this.sheet.addEventListener("pointermove", ({ target, pointerType }) => {
      if (pointerType === "mouse" && target.place !== undefined && target.place !== this.at) {
        this.choose(target.place);
      }
    });
    this.box.parentElement.addEventListener(
      "pointerleave",
      ({ pointerType }) => pointerType === "mouse" && hideGuesses(),
    );
    this.sheet.addEventListener("click", ({ target }) => this.choose(target.place ?? -1));
    moveByKeys(
      this.box,
      { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -60, ArrowDown: 60 },
      () => (this.at < 0 ? this.end : this.at),
      () => this.end - 1,
      (place) => this.moveTo(place),
      () =>
        rightToLeft.test(textOf(this.text.ids.slice(0, this.at + 1)).match(/\p{L}(?=\P{L}*$)/u)),
    );
    document.body.addEventListener(
      "watchedchange",
      () => this.colour === "unit" && this.recolour(),
    );
  }

  /** Show another text. */
  show(text) {
    Object.assign(this, { text, cells: [], end: 0, at: -1, shaded: [] });
    this.sheet.replaceChildren();
    this.beginBlock(0);
    this.grow();
    this.settle();
  }

  /** Show the characters that are new. A block ends with a paragraph, so that only the last one is laid out again. */
  grow() {
    const { ids } = this.text;
    for (let place = this.end; place < ids.length; place++) {
      const [before, last, own] = [place - 2, place - 1, place].map((each) => chars[ids[each]]);
      if (
        last === "\n" &&
        own !== "\n" &&
        (before === "\n" || place - this.block.start > LONG_BLOCK)
      ) {
        this.beginBlock(place);
      }
      this.block.append(this.cellOf(place));
    }
    this.end = ids.length;
    this.onChange?.();
  }

  beginBlock(start) {
    this.block = Object.assign(make("div", "block"), { start });
    this.sheet.append(this.block);
  }

  cellOf(place) {
    const { ids, start } = this.text;
    const [last, char, next = ""] = [place - 1, place, place + 1].map((each) => chars[ids[each]]);
    const record = this.text.recordAt(place);
    const cell = make(
      "span",
      place < start ? "cell prime" : record?.isChosen ? "cell chosen" : "cell",
      visible(char),
    );
    if (char === "\n") {
      const length = place - (place && ids.lastIndexOf(ids[place], place - 1) + 1); // of its line
      cell.classList.toggle("blank", length === 0);
      cell.classList.toggle("soft", length >= longLine && !/\s/.test(next));
    }
    if (last === "\n" && /\s/.test(char)) {
      this.cells[place - 1].classList.remove("soft");
    }
    cell.place = place;
    this.cells[place] = cell;
    this.colourCell(place, record);
    return cell;
  }

  colourCell(place, record) {
    if (record) {
      COLOURS[this.colour](this.cells[place], record);
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

  moveTo(place) {
    this.choose(place);
    this.cells[place].scrollIntoView({ block: "nearest" });
    byId("spoken").textContent = [
      nameOf(chars[this.text.ids[place]]),
      describe(this.text.recordAt(place)),
    ].join(". ");
  }

  /** Shade pieces of the text, [from, to], by the bits that each moved a guess: of more in one colour, less in another. */
  shade(pieces, bits) {
    this.shaded.forEach(({ style }) => {
      style.boxShadow = "";
    });
    this.shaded = pieces.flatMap(([from, to], index) =>
      this.cells.slice(from, to).map((cell) => {
        const strength = strengthOf(Math.abs(bits[index])).toFixed(3);
        cell.style.boxShadow = `inset 0 -0.28em rgb(var(${bits[index] < 0 ? "--against" : "--toward"}) / ${strength})`;
        return cell;
      }),
    );
  }
}

function describe(record) {
  return !record || Number.isNaN(record.surprise)
    ? "This was the beginning."
    : `Probability ${percent(2 ** -record.surprise)}, ${record.surprise.toFixed(1)} bits of surprise`;
}

/** Show beside a character of a paper what was expected there. Where the text can go on, each is a button. */
function showGuesses(paper, place) {
  const box = byId("guesses");
  const {
    text,
    goOn,
    cells: { [place]: cell },
    box: { parentElement: figure },
  } = paper;
  const record = text?.recordAt(place);
  box.hidden = !record || !cell;
  guessed?.shade([], []);
  guessed = paper;
  if (box.hidden) {
    return;
  }
  const id = text.ids[place];
  const guesses = Array.from(record.guesses).flatMap((share, at, all) =>
    at % 2 && share >= 0 ? [{ id: all[at - 1], share }] : [],
  );
  const before = textOf(text.ids.slice(Math.max(0, place - 12), place));
  byId("guesses-before").replaceChildren(
    visible(before).replace(/\s+/g, " "),
    make("b", "", glyph(chars[id])),
  );
  byId("guesses-said").textContent = describe(record);
  byId("guesses-list").replaceChildren(
    ...guesses.map((guess) =>
      make("li", "", barOf(guess, guess.id === id, goOn && (() => goOn(place, guess.id)))),
    ),
  );
  byId("guesses-hint").hidden = !goOn;
  paper.box.after(box);
  const [inner, outer] = [cell, figure].map((element) => element.getBoundingClientRect());
  const left = Math.max(0, Math.min(inner.left - outer.left - 20, outer.width - box.offsetWidth));
  const isBelow = inner.bottom + box.offsetHeight < innerHeight || inner.top < box.offsetHeight;
  const top = isBelow ? inner.bottom + 4 : inner.top - box.offsetHeight - 4;
  Object.assign(box.style, { left: `${left}px`, top: `${top - outer.top}px` });
  if (getComputedStyle(box).position === "sticky") {
    // a sheet at the end of a small screen
    scrollBy(0, Math.max(0, inner.bottom + 8 + box.offsetHeight - innerHeight));
  }
  showWhy();
}

/** Shade what moved the guess that is shown: letters, or whole words. */
function showWhy() {
  const { text, at: place } = guessed;
  const pieces = piecesBefore(text.ids, place, byId("by-words").checked);
  ask(
    "why",
    { ...text.inWorker(), ids: text.ids.slice(0, place + 1), place, pieces },
    ({ bits }) => {
      if (guessed.text === text && guessed.at === place && !byId("guesses").hidden) {
        guessed.shade(pieces, bits);
      }
    },
  );
}

/** Return the letters before a place, or the words and signs there, as [from, to]. A word has the space after it. */
function piecesBefore(ids, place, areWords) {
  const start = Math.max(0, place - LEFT_OUT[areWords ? "words" : "letters"]);
  const parts = areWords
    ? textOf(ids.slice(start, place)).match(/[\p{L}\p{M}\p{N}'\u2019]+\s?|./gsu) || []
    : ids.slice(start, place).map((id) => chars[id]);
  let to = start;
  return parts.map((part) => {
    to += Array.from(part).length;
    return [to - Array.from(part).length, to];
  });
}

/** Return how strong a shade is for some bits: a logarithmic scale, so that what moved the guess a little is seen as well. */
function strengthOf(bits) {
  return Math.max(
    0,
    Math.min(1, Math.log(bits / LEAST_MOVED) / Math.log(MOST_MOVED / LEAST_MOVED)),
  );
}

/** Make a bar for a character, {id, share}; with an action it is a button. */
function barOf({ id, share }, isMarked, action) {
  const track = make("span", "track", make("i"));
  track.firstChild.style.width = `${100 * share}%`;
  const symbol = make("span", isMarked ? "glyph framed" : "glyph", glyph(chars[id]));
  const parts = [symbol, track, make("span", "", percent(share))];
  const bar = action ? makeButton("bar", action, ...parts) : make("span", "bar", ...parts);
  bar.title = nameOf(chars[id]);
  return bar;
}

export function hideGuesses() {
  byId("guesses").hidden = true;
  guessed?.shade([], []);
}
document.addEventListener("keydown", ({ key }) => key === "Escape" && hideGuesses());
byId("by-words").addEventListener("change", showWhy);
