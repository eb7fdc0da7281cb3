/* What the network has found out: properties of the text that can be read from its memory, each by a probe. One of these
 * directions is watched, and can be held. */
import { grouped, signed } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { setWatched, watched } from "../shared/shown.js";
import { byId, make, makeButton, showNote } from "../shared/view.js";
import { onPaper } from "../shared/writing.js";
import { draft, FREE, network } from "./network.js";
import { colourPassage } from "./passage.js";

const LEAST_CORRELATION = 0.5; // of what a probe reads with the property
const LEAST_ABOVE = 0.2; // that of before the training
const FULL = 127; // as the worker shows a direction: half a span beyond its means, at these values
const VALUES = [-0.5, 1.5];
const heldPaper = new Paper("held", "unit");

/** Since when properties are found, {updates, seconds} by their names; which were ever found; and where the watched direction
 * is held. */
export const tracking = { since: {}, found: new Set(), held: FREE };

/** Show for each property of the text whether it can be read, better than before the training, and since when.
 * @param {Object[]} properties {name, ends, correlation} in the order of the directions of the worker */
export function showTracked(properties, updates, seconds) {
  const focused = document.activeElement.closest("#tracked button")?.value;
  const items = properties.map((property, index) => {
    const before = network.untrained[index].correlation;
    return make("li", "small", lineOf(property, index, before, { updates, seconds }));
  });
  byId("tracked").replaceChildren(...items);
  byId("tracked").querySelector(`[value="${focused}"]`)?.focus({ preventScroll: true });

  let nothing = "";
  if (properties.length === 0) {
    nothing = "This text has none of the properties that are looked for.";
  }
  showNote("nothing", nothing);
}

/** Return what is shown of a property: a sentence, or a button once it is found. */
function lineOf({ name, ends, correlation }, index, before, moment) {
  // Where much could be read before, it is half as far from 1 as then.
  const leastAbove = Math.min(LEAST_ABOVE, (1 - before) / 2);
  if (correlation < LEAST_CORRELATION || correlation < before + leastAbove) {
    delete tracking.since[name];
    const now = `The correlation is ${signed(correlation)}`;
    return `${name}: ${whyNot(name)}. ${now}, and was ${signed(before)} before it learned.`;
  }

  tracking.since[name] ??= moment;
  tracking.found.add(name);
  const { updates, seconds } = tracking.since[name];
  const since = `since step ${grouped(updates)} (${grouped(seconds)} s)`;
  const description = `: ${since}, correlation ${signed(correlation)}`;
  const button = makeButton(
    "chip",
    () => watch(name, ends, index),
    make("b", "", name),
    description,
  );
  button.value = name;
  button.ariaPressed = name === watched?.name;
  return button;
}

/** Say of a property that it is not found, or not any more. */
function whyNot(name) {
  if (!tracking.found.has(name)) {
    return "not yet";
  }
  return byId("overfits").hidden ? "no longer" : "no longer, while it learns the text by heart";
}

/** Watch the direction of a property. */
function watch(name, ends, index) {
  const isOther = watched?.name !== name;
  const ofUnits = 2 * network.numLayers * network.lstmSize;
  setWatched({
    name,
    unit: name,
    offset: ofUnits + index,
    limits: [-FULL, FULL],
    values: VALUES,
  });

  const [low, high] = ends;
  byId("left").textContent = low;
  byId("right").textContent = high;
  for (const button of byId("tracked").querySelectorAll("button")) {
    button.ariaPressed = button.value === name;
  }

  if (isOther) {
    colourPassage("unit");
    holdAt(FREE);
  }
}

/** Watch nothing, and list nothing. */
export function clearTracked() {
  setWatched(null);
  holdAt(FREE);
  byId("tracked").replaceChildren();
}

/** Forget since when properties are found. */
export function beginTracking() {
  tracking.since = {};
  tracking.found.clear();
}

/** Hold the direction that is watched at a value, or none, and have the network write. */
export function holdAt(held) {
  tracking.held = held;
  const isFree = held.unit === null;
  byId("release").hidden = isFree;
  if (isFree) {
    byId("hold").value = 0;
    byId("hold-said").textContent = "Drag the handle while the network writes.";
  } else {
    byId("hold-said").textContent =
      `Held at ${signed(held.value)} while it writes: 0 is as it is on the mean outside, 1 inside. Compare the two ends.`;
  }
  showHeld();
}

/** Have the network write with the watched direction held, or free, and show the text below the handle. */
export function showHeld() {
  byId("handle").hidden = watched === null;
  if (watched !== null) {
    draft("held", tracking.held, (text) => heldPaper.show(onPaper(text)));
  }
}
