/* What is shown of a network on either page: its characters, and what the colours of a text say. One of these is of the unit
 * or the direction that is watched, {unit, offset, limits, values} and more: `limits`, from -127 to 127, are where it nearly
 * always is, and `values`, of a direction, what it is held at there. */
import { state } from "./change.js";
import { clamped, scaled } from "./numbers.js";
import { tint } from "./view.js";

const MOST_BITS = 8; // from here on a surprise has the full colour

export let chars = []; // by id
export let longLine = Infinity; // characters: a line of a text that is longer ends for the layout only

export function setCharacters(characters, leastLong = Infinity) {
  chars = characters;
  longLine = leastLong;
}

export function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

/** Return where the value of what is watched is between its limits: -1 at the left end, 1 at the right. */
export function positionIn(activations) {
  const { limits, offset } = state.watched;
  const ends = limits.map((limit) => limit / 127);
  return clamped(scaled(activations[offset] / 127, ends), -1, 1);
}

/** Return the value of what is watched at a position, with two decimals. */
export function valueAt(position) {
  const [least, most] = state.watched.values;
  const value = least + ((position + 1) / 2) * (most - least);
  return Math.round(100 * value) / 100;
}

/** The colours of a text: each colours a cell by what is known of its character. */
export const COLOURS = {
  unit(cell, { activations }) {
    const position = state.watched === null ? 0 : positionIn(activations);
    tint(cell, position < 0 ? "low" : "high", Math.abs(position));
  },
  probability(cell, { surprise }) {
    tint(cell, "share", 2 ** -surprise);
  },
  surprise(cell, { surprise }) {
    const isFirst = Number.isNaN(surprise);
    tint(cell, "bits", isFirst ? 0 : surprise / MOST_BITS);
  },
  none() {},
};

/** Return what is known of each character that the worker sends: {surprise, guesses, activations}. They are parts of its
 * arrays; as objects they would take several times the memory. */
export function recordsOf({ surprises = [], guesses, activations }) {
  const count = surprises.length;
  const rowOf = (array, row) => {
    const width = array.length / count;
    return array.subarray(row * width, (row + 1) * width);
  };
  return Array.from(surprises, (surprise, row) => ({
    surprise,
    guesses: rowOf(guesses, row),
    activations: rowOf(activations, row),
  }));
}
