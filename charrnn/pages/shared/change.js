/* The state of a page: one object, from which one function draws the page after each change. What both pages have in it
 * stands here, and the rest in model/state.js and in learn/learning.js. */

export const state = {
  watched: null, // the unit or the direction that is watched, see shown.js
};

const lastDrawn = new Map(); // from a part of the page to what it was drawn from
let drawPage = null;

/** Have a function draw the page after each change. */
export function drawWith(draw) {
  drawPage = draw;
}

/** Change some of the state of which nothing else follows, and draw the page. */
export function change(changes = {}) {
  Object.assign(state, changes);
  drawPage();
}

/** Return whether a part of the page is to be drawn from other values than last time. */
export function isNew(part, ...values) {
  const before = lastDrawn.get(part) ?? [];
  lastDrawn.set(part, values);
  return values.some((value, place) => value !== before[place]);
}
