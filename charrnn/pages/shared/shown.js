/* What is shown of a network on either page: its characters, the unit that is watched, and what the colours of a text say. */
import { scaled } from "./text.js";
import { tint } from "./view.js";

export let chars = []; // by id
export let longLine = Infinity; // characters: a line of a text that is longer ends for the layout only
export let watched = null; // {unit, offset, limits, ends, feature, correlation, sentence}, and for a discovery more

export function setCharacters(characters, leastLong = Infinity) {
  [chars, longLine] = [characters, leastLong];
}

export function setWatched(unit) {
  watched = unit;
  document.body.dispatchEvent(new Event("watchedchange"));
}

export function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

/** Return where the value of the unit is between its limits: -1 at the left end, 1 at the right. */
export function positionIn(activations) {
  const position = scaled(
    activations[watched.offset] / 127,
    watched.limits.map((limit) => limit / 127),
  );
  return Math.max(-1, Math.min(1, position));
}

/** Return the value of the unit at a position. At -1 and 1 a memory would be infinite. */
export function valueAt(position) {
  const [least, most] = watched.limits.map((limit) => limit / 127);
  const value = least + ((position + 1) / 2) * (most - least);
  return Math.round(100 * Math.max(-0.99, Math.min(0.99, value))) / 100;
}

const MOST_BITS = 8; // from here on a surprise has the full colour
export const COLOURS = {
  // of a cell, by what is known of its character
  unit: (cell, { activations }) => {
    const position = watched ? positionIn(activations) : 0;
    tint(cell, position < 0 ? "low" : "high", Math.abs(position));
  },
  probability: (cell, { surprise }) => tint(cell, "share", 2 ** -surprise),
  none: () => {},
  surprise: (cell, { surprise }) => tint(cell, "bits", (surprise || 0) / MOST_BITS), // the first character has none
};

/** Return what is known of each character that the worker sends: {surprise, guesses, activations}. They are parts of its
 * arrays; as objects they would take several times the memory. */
export function recordsOf({ surprises = [], guesses, activations }) {
  const parts = (array, row) =>
    array.subarray(...[row, row + 1].map((each) => (each * array.length) / surprises.length));
  return Array.from(surprises, (surprise, row) => ({
    surprise,
    guesses: parts(guesses, row),
    activations: parts(activations, row),
  }));
}
