/* What is shown of a network on either page: its characters, the unit that is watched, and what the colours of a text say. */
import { clamped, scaled } from "./numbers.js";
import { tint } from "./view.js";

const MOST_BITS = 8; // from here on a surprise has the full colour
const NEARLY_ONE = 0.99; // at 1 a memory would be infinite

export let chars = []; // by id
export let longLine = Infinity; // characters: a line of a text that is longer ends for the layout only
/** The unit or the direction that is watched: {unit, offset, limits, values, ends, feature, correlation, sentence}, and for a
 * discovery more. `limits`, from -127 to 127, are where it nearly always is; `values` what it is held at there. */
export let watched = null;

export function setCharacters(characters, leastLong = Infinity) {
  chars = characters;
  longLine = leastLong;
}

export function setWatched(unit) {
  watched = unit;
  document.body.dispatchEvent(new Event("watchedchange"));
}

export function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

/** Return at which values a unit with these limits is held at the ends. */
export function valuesOfUnit(limits) {
  return limits.map((limit) => clamped(limit / 127, -NEARLY_ONE, NEARLY_ONE));
}

/** Return where the value of the unit is between its limits: -1 at the left end, 1 at the right. */
export function positionIn(activations) {
  const limits = watched.limits.map((limit) => limit / 127);
  const value = activations[watched.offset] / 127;
  return clamped(scaled(value, limits), -1, 1);
}

/** Return the value of the unit at a position, with two decimals. */
export function valueAt(position) {
  const [least, most] = watched.values;
  const value = least + ((position + 1) / 2) * (most - least);
  return Math.round(100 * value) / 100;
}

/** The colours of a text: each colours a cell by what is known of its character. */
export const COLOURS = {
  unit(cell, { activations }) {
    const position = watched === null ? 0 : positionIn(activations);
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
