/* The state of the page of learning, and the functions that change it. What follows from a change happens here, too: then the
 * page is drawn, by `draw` in learn.js. */
import { change, state } from "../shared/change.js";
import { ask, showNote } from "../shared/view.js";
import { chosenSizes } from "./settings.js";

export const FREE = { direction: null, value: null }; // no direction is held
const LEAST_CORRELATION = 0.5; // of what a probe reads with a property
const LEAST_ABOVE = 0.2; // that of before the training
const WORSE = 0.07; // bits above the best loss of what is held out, from which on it is overfitting
const LEAST_RISE = 150; // steps without a better look, after which it may end
const FULL = 127; // as the worker shows a direction: half a span beyond its means, at these values
const VALUES = [-0.5, 1.5];

/** Return the part of the state that is of one network, before it is made. */
function nothingLearned() {
  return {
    network: null, // what the worker said of it when it was made, see `begin` in learner.js
    isRunning: false, // whether it learns
    updates: 0, // steps that it has learned
    epoch: 0,
    loss: null, // in bits
    saved: 0, // how many of the steps are in a file
    looks: [], // {updates, read, held, text}: what it wrote then, and its losses of what is read and held out
    best: null, // the look with the lowest loss of what is held out
    moment: null, // the look that is shown
    properties: null, // of the text, as the last look has them: {name, ends, correlation}
    since: {}, // when those that are found were found, {updates, seconds} by their names
    found: new Set(), // the names of those that ever were
    watched: null,
    held: FREE,
    colour: "surprise", // of the passage
  };
}

Object.assign(state, {
  source: null, // the text, see sources.js
  file: null, // the network in a file that goes on with the text, {name, sizes}, or null for a new one
  sizes: null, // of the network
  // Of the first weights and of what is written. With this one, a number of the rhyme's network soon follows the text, and
  // goes on to: with many others, none does.
  seed: 57,
  choice: 0, // the number of the choice of these
  begun: 0, // and of the one for which the worker was asked to begin
  nextLook: Infinity, // from when on the network may be looked at again: at no time while a look is under way
  records: [], // what is known of each character of the passage, see recordsOf
  ...nothingLearned(),
});

/** Choose a text, and perhaps a network in a file that goes on with it. The worker gets them when Start is pressed. */
export function choose(source, file = state.file) {
  ask("stop", { of: "learn" });
  const choice = state.choice + 1;
  change({ ...nothingLearned(), source, file, choice, sizes: chosenSizes() });
  showNote("note", "");
}

/** Add a look, or put it in the place of that at the same step. It is shown if the newest one was. */
export function addLook(look, isBest) {
  const { looks } = state;
  let newest = looks.at(-1) ?? null;
  const isFollowed = state.moment === newest;
  if (newest?.updates !== look.updates) {
    newest = {};
    looks.push(newest);
  }
  Object.assign(newest, look);

  if (isBest) {
    state.best = newest;
  }
  if (isFollowed) {
    state.moment = newest;
  }
  change({ looks: [...looks] });
}

/** Leave out the looks after a step. */
export function cutLooks(step) {
  const looks = state.looks.filter(({ updates }) => updates <= step);
  change({ looks, moment: looks.at(-1) ?? null });
}

/** Show the look that is nearest to a step. */
export function showStep(step) {
  const distance = ({ updates }) => Math.abs(updates - step);
  const moment = state.looks.reduce((closest, look) =>
    distance(look) < distance(closest) ? look : closest,
  );
  change({ moment });
}

/** Return whether what is held out is clearly worse than at the best look. */
export function isOverfitting() {
  const { looks, best } = state;
  return looks.at(-1)?.held > best?.held + WORSE;
}

/** Return whether the loss of what is held out has risen for as long as it fell. */
export function hasRisenAsLong() {
  const { looks, best } = state;
  const since = looks.at(-1).updates - best.updates;
  return since >= Math.max(best.updates, LEAST_RISE);
}

/** Remember since when properties can be read, better than before the training, of which `untrained` are known. */
export function track(properties, untrained, moment) {
  const { network, since, found } = state;
  if (properties === null) {
    return;
  }
  network.untrained = untrained;
  for (const [index, { name, correlation }] of properties.entries()) {
    const before = network.untrained[index].correlation;
    // Where much could be read before, it is half as far from 1 as then.
    const leastAbove = Math.min(LEAST_ABOVE, (1 - before) / 2);
    if (correlation < LEAST_CORRELATION || correlation < before + leastAbove) {
      delete since[name];
    } else {
      since[name] ??= moment;
      found.add(name);
    }
  }
  change({ properties });
}

/** Watch the direction of a property, the one at an index, of which the passage then has the colour. */
export function watch({ name, ends }, index) {
  if (name === state.watched?.unit) {
    return;
  }
  const { numLayers, lstmSize } = state.network;
  const offset = 2 * numLayers * lstmSize + index;
  const watched = { unit: name, ends, offset, limits: [-FULL, FULL], values: VALUES };
  change({ watched, colour: "unit", held: FREE });
}

/** Hold the direction that is watched at a value, or none, which is FREE. */
export function hold(held) {
  change({ held });
}
