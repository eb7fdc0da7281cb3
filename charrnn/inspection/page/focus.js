/* The unit that is looked at, and what the colours of a text say. Both pages have this file; `chars` are the characters of
 * the page's network. */
"use strict";
let focus = null; // {unit, offset, limits, ends, feature, correlation, sentence}, and for a discovery more

function setFocus(unit) {
  focus = unit;
  document.body.dispatchEvent(new Event("focuschange"));
}

function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

/** Return where the value of the unit is between its limits: -1 at the left end, 1 at the right. */
function positionIn(activations) {
  const position = scaled(activations[focus.offset] / 127, focus.limits.map((limit) => limit / 127));
  return Math.max(-1, Math.min(1, position));
}

/** Return the value of the unit at a position. At -1 and 1 a memory would be infinite. */
function valueAt(position) {
  const [least, most] = focus.limits.map((limit) => limit / 127);
  const value = least + ((position + 1) / 2) * (most - least);
  return Math.round(100 * Math.max(-0.99, Math.min(0.99, value))) / 100;
}

const MOST_BITS = 8; // from here on a surprise has the full colour
const COLOURS = { // of a cell, by what is known of its character
  unit: (cell, { activations }) => {
    const position = focus ? positionIn(activations) : 0;
    tint(cell, position < 0 ? "low" : "high", Math.abs(position));
  },
  probability: (cell, { surprise }) => tint(cell, "share", 2 ** -surprise),
  none: () => {},
  surprise: (cell, { surprise }) => tint(cell, "bits", (surprise || 0) / MOST_BITS), // the first character has none
};

/** Return what is known of each character that the worker sends: {surprise, guesses, activations}. They are parts of its
 * arrays; as objects they would take several times the memory. */
function recordsOf({ surprises = [], guesses, activations }) {
  const parts = (array, row) => array.subarray(...[row, row + 1].map((each) => (each * array.length) / surprises.length));
  return Array.from(surprises, (surprise, row) => (
    { surprise, guesses: parts(guesses, row), activations: parts(activations, row) }));
}
