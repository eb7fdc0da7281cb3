/* What the network has found out: units that track properties of the text, of which one is watched and can be held. */
import { grouped, signed } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { setWatched, watched } from "../shared/shown.js";
import { namesOfEnds, unitName, unitTitle } from "../shared/text.js";
import { byId, make, makeButton, showNote } from "../shared/view.js";
import { onPaper } from "../shared/writing.js";
import { draft, FREE, network } from "./network.js";
import { colourPassage } from "./passage.js";

const LEAST_CORRELATION = 0.3; // these two as in charrnn/inspection/units.py
const LEAST_ABOVE = 0.2; // the correlation before the training
const heldPaper = new Paper("held", "unit");

/** Since when properties are tracked, {updates, seconds} by their names; the step at which each that was lost had been found;
 * and where the watched unit is held. */
export const tracking = { since: {}, lost: {}, held: FREE };

/** Show for each property of the text whether a unit tracks it, more closely than before the training, and since when.
 * @param {Object[]} units the best unit for each property, see bestUnits */
export function showTracked(units, updates, seconds) {
  const focused = document.activeElement.closest("#tracked button")?.value;
  const items = units.map((unit, property) => {
    const line = lineOf(unit, network.untrained[property], { updates, seconds });
    return make("li", "small", line);
  });
  byId("tracked").replaceChildren(...items);
  byId("tracked").querySelector(`[value="${focused}"]`)?.focus({ preventScroll: true });

  let nothing = "";
  if (units.length === 0) {
    nothing = "This text has none of the properties that are looked for.";
  }
  showNote("nothing", nothing);

  // Another unit may track the watched property now. While one is held, it stays.
  const isFree = tracking.held.unit === null;
  const now = units.find(({ name }) => name === watched?.name);
  if (now !== undefined && now.name in tracking.since && isFree) {
    watch(now);
  }
}

/** Return what is shown of a property: a sentence, or a button once a unit tracks it. */
function lineOf(unit, untrained, moment) {
  const { name } = unit;
  const correlation = Math.abs(unit.correlation);
  const before = Math.abs(untrained.correlation);

  if (correlation < Math.max(LEAST_CORRELATION, before + LEAST_ABOVE)) {
    if (name in tracking.since) {
      tracking.lost[name] = tracking.since[name].updates;
      delete tracking.since[name];
    }
    let state = "not yet";
    if (name in tracking.lost) {
      state = `found at step ${grouped(tracking.lost[name])}, and lost again`;
    }
    const best = `The best correlation is ${correlation.toFixed(2)}`;
    return `${name}: ${state}. ${best}, and was ${before.toFixed(2)} before it learned.`;
  }
  tracking.since[name] ??= moment;
  return trackedButton(unit);
}

/** Return a button with what a unit tracks, by which it is watched. */
function trackedButton(unit) {
  const { name, offset, correlation } = unit;
  const { updates, seconds } = tracking.since[name];
  const since = `since step ${grouped(updates)} (${grouped(seconds)} s)`;
  const title = unitTitle(unitName(offset, network.lstmSize));
  const description = `: ${since}, ${title}, correlation ${signed(correlation)}`;

  const button = makeButton("chip", () => watch(unit), make("b", "", name), description);
  button.value = name;
  button.ariaPressed = name === watched?.name;
  return button;
}

function watch(unit) {
  const { name, offset, correlation, ends } = unit;
  const isOther = watched?.name !== name;
  setWatched({ ...unit, unit: unitName(offset, network.lstmSize) });

  const [low, high] = namesOfEnds(ends, correlation);
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

/** Watch no unit, and list none. */
export function clearTracked() {
  setWatched(null);
  holdAt(FREE);
  byId("tracked").replaceChildren();
}

/** Forget since when properties were tracked. */
export function beginTracking() {
  tracking.since = {};
  tracking.lost = {};
}

/** Hold the unit that is watched at a value, or none, and have the network write. */
export function holdAt(held) {
  tracking.held = held;
  const isFree = held.unit === null;
  byId("release").hidden = isFree;
  if (isFree) {
    byId("hold").value = 0;
    byId("hold-said").textContent =
      "Drag the handle, and the number is held while the network writes.";
  } else {
    byId("hold-said").textContent =
      `Held at ${signed(held.value)} while it writes. Compare the two ends.`;
  }
  showHeld();
}

/** Have the network write with the watched unit held, or free, and show the text below the handle. */
export function showHeld() {
  byId("handle").hidden = watched === null;
  if (watched !== null) {
    draft("held", tracking.held, (text) => heldPaper.show(onPaper(text)));
  }
}
