/* The box beside a character that is chosen: what the network expected there. Shades below the characters before it show
 * why: see `why` in worker.js. */
import { clamped, percent } from "./numbers.js";
import { chars, textOf } from "./shown.js";
import { glyph, nameOf, visible } from "./text.js";
import { ask, byId, make, makeButton, showText } from "./view.js";

const LEAST_MOVED = 0.01; // bits from which on there is a shade
const MOST_MOVED = 4; // bits from which on it has its full strength
const LETTERS_LEFT_OUT = 50; // before a character, to see what they did
const WORDS_WITHIN = 200; // characters before one, of which words are left out
const CONTEXT = 12; // characters that the box repeats
const MARGIN = 4; // pixels between a character and the box
const ASIDE = 20; // pixels of the box to the left of the character
const WORD_OR_SIGN = /[\p{L}\p{M}\p{N}'\u2019]+\s?|./gsu; // a word has the space after it

let guessed = null; // the paper of which a character is explained

/** Show beside a character of a paper what was expected there. Where the text can go on, each is a button. */
export function showGuesses(paper, place) {
  const { text, goOn } = paper;
  const box = byId("guesses");
  const cell = paper.cells[place];
  const record = text?.recordAt(place);
  guessed?.shade([], []);
  guessed = paper;
  box.hidden = !record || !cell;
  if (box.hidden) {
    return;
  }

  const id = text.ids[place];
  const before = textOf(text.ids.slice(Math.max(0, place - CONTEXT), place));
  byId("guesses-before").replaceChildren(
    visible(before).replace(/\s+/g, " "),
    make("b", "", glyph(chars[id])),
  );
  showText("guesses-said", describeRecord(record));
  byId("guesses-hint").hidden = goOn === null;
  const items = guessesOf(record).map((guess) => {
    const action = goOn === null ? null : () => goOn(place, guess.id);
    return make("li", "", barOf(guess, guess.id === id, action));
  });
  byId("guesses-list").replaceChildren(...items);

  paper.box.after(box);
  putBeside(box, cell, paper.box.parentElement);
  showWhy();
}

/** Return the guesses of a record, {id, share}, of which the worker sends id, share, id, share ... */
function guessesOf({ guesses }) {
  const pairs = [];
  for (let at = 0; at < guesses.length; at += 2) {
    const id = guesses[at];
    const share = guesses[at + 1];
    // The first character of a text has none.
    if (!Number.isNaN(share)) {
      pairs.push({ id, share });
    }
  }
  return pairs;
}

/** Say how probable a character was. */
function describeRecord(record) {
  if (!record || Number.isNaN(record.surprise)) {
    return "This was the beginning.";
  }
  const { surprise } = record;
  return `Probability ${percent(2 ** -surprise)}, ${surprise.toFixed(1)} bits of surprise`;
}

/** Return what a screen reader says of a character. */
export function spokenOf(char, record) {
  return `${nameOf(char)}. ${describeRecord(record)}`;
}

/** Make a bar for a character, {id, share}; with an action it is a button. */
function barOf({ id, share }, isMarked, action) {
  const track = make("span", "track", make("i"));
  track.firstChild.style.width = `${100 * share}%`;
  const symbol = make("span", isMarked ? "glyph framed" : "glyph", glyph(chars[id]));
  const parts = [symbol, track, make("span", "", percent(share))];

  const isButton = action !== null;
  const bar = isButton ? makeButton("bar", action, ...parts) : make("span", "bar", ...parts);
  bar.title = nameOf(chars[id]);
  return bar;
}

/** Put the box below a cell, or above it where there is more room, within the figure. */
function putBeside(box, cell, figure) {
  const inner = cell.getBoundingClientRect();
  const outer = figure.getBoundingClientRect();
  const height = box.offsetHeight;
  const room = outer.width - box.offsetWidth;
  const left = Math.max(0, Math.min(inner.left - outer.left - ASIDE, room));
  const fitsBelow = inner.bottom + height < innerHeight;
  const fitsAbove = inner.top >= height;
  let top = inner.bottom + MARGIN;
  if (!fitsBelow && fitsAbove) {
    top = inner.top - height - MARGIN;
  }
  box.style.left = `${left}px`;
  box.style.top = `${top - outer.top}px`;

  // On a small screen it is a sheet at the end, which may not cover the cell.
  const isSheet = getComputedStyle(box).position === "sticky";
  if (isSheet) {
    const covered = inner.bottom + 2 * MARGIN + box.offsetHeight - innerHeight;
    scrollBy(0, Math.max(0, covered));
  }
}

/** Shade what moved the guess that is shown: letters, or whole words. */
function showWhy() {
  const { text, at: place } = guessed;
  const pieces = piecesBefore(text.ids, place, byId("by-words").checked);
  const message = { ...text.inWorker(), ids: text.ids.slice(0, place + 1), place, pieces };
  ask("why", message, ({ bits }) => {
    const isStillShown = guessed.text === text && guessed.at === place;
    if (isStillShown && !byId("guesses").hidden) {
      guessed.shade(pieces, bits);
    }
  });
}

/** Return the letters before a place, or the words and signs there, as [from, to]. */
function piecesBefore(ids, place, areWords) {
  const start = Math.max(0, place - (areWords ? WORDS_WITHIN : LETTERS_LEFT_OUT));
  const before = ids.slice(start, place);
  let parts = before.map((id) => chars[id]);
  if (areWords) {
    parts = textOf(before).match(WORD_OR_SIGN) ?? [];
  }

  let from = start;
  return parts.map((part) => {
    const piece = [from, from + Array.from(part).length];
    [, from] = piece;
    return piece;
  });
}

/** Return the shade of a character for the bits that it moved the guess.
 * The scale is logarithmic, so that what moved the guess a little is seen as well. */
export function shadeOf(bits) {
  const scale = Math.log(MOST_MOVED / LEAST_MOVED);
  const strength = clamped(Math.log(Math.abs(bits) / LEAST_MOVED) / scale, 0, 1);
  const colour = bits < 0 ? "--against" : "--toward";
  return `inset 0 -0.28em rgb(var(${colour}) / ${strength.toFixed(3)})`;
}

export function hideGuesses() {
  byId("guesses").hidden = true;
  guessed?.shade([], []);
}

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") {
    hideGuesses();
  }
});
byId("by-words").addEventListener("change", showWhy);
