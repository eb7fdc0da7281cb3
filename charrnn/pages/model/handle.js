/* The unit that is watched, which the page calls its number: the claim at the top, the handle that holds it, and how it was
 * found. */
import { grouped, signed } from "../shared/numbers.js";
import { positionIn, valueAt, watched } from "../shared/shown.js";
import { unitTitle } from "../shared/text.js";
import { byId, make, onClick, undoSwipes } from "../shared/view.js";
import { data, lookAt, unitNames } from "./model.js";
import { beginMove, evidenceOf, isOfPassage, showHeld } from "./pair.js";
import { passage } from "./read.js";
import { setAsked, showAddress, written } from "./takes.js";

const FREE_ADVICE = "Drag the handle, and the number is held there: watch the text change.";
const UNDERLINED =
  "Underlined: what your last move changed. From the first underlined word on, the dice fall otherwise.";
const MOVING_KEYS = /Arrow|Home|End|Page/;

/** Return the activations where the number is free: at the last character that was written, or the one that is chosen of
 * a passage. */
function freeActivations() {
  const record = isOfPassage() ? passage?.seen[passage.at] : written.take.seen.at(-1);
  return record?.activations;
}

/** Show where the handle holds the number, or the value of the number where it is free. */
export function showHandle() {
  const { held } = written.take;
  const activations = freeActivations();
  const handle = byId("hold");
  const [low, high] = watched.ends;
  let value = 0;
  let state = "free, now";
  if (held !== null) {
    handle.value = held;
    value = valueAt(held);
    state = "held at";
  } else if (activations) {
    handle.value = positionIn(activations);
    value = activations[watched.offset] / 127;
  } else {
    handle.value = 0;
  }

  handle.ariaValueText = `${state} ${signed(value)}, from ${low} to ${high}`;
  showLead(held !== null);
  byId("hold-said").textContent = FREE_ADVICE;
  if (held !== null) {
    byId("hold-said").textContent =
      `Held at ${signed(value)} from the first letter on. ${UNDERLINED}`;
  }
}

/** Return whether the unit that is watched is a discovery, of which more is known. */
function isDiscovery() {
  return watched.untrained !== undefined;
}

/** Say what the texts at the top are. */
function showLead(isHeld) {
  byId("does").textContent = "It writes the texts below; no person does.";
  byId("free-what").textContent = "Here nobody holds the number.";
  if (isOfPassage() && !isHeld) {
    byId("does").textContent = "Below it only reads.";
    byId("free-what").textContent =
      `It did not write this: it is a passage of ${data.source}. Nobody holds the number.`;
  }
  byId("colour-said").textContent = colourSentence(isHeld);
}

/** Return what is said of the texts at the top: what their colour is, or how the number is held in them. */
function colourSentence(isHeld) {
  if (data.discoveries.length === 0) {
    return "The colour is that surprise.";
  }
  if (isHeld) {
    return "The same beginning, the same dice: only that number is held, where you put it.";
  }
  if (watched.told) {
    return "The same beginning, the same dice: only that number is held at its two ends.";
  }
  const sentence = "The colour is that one number: it was never told what to follow.";
  // Only discoveries were held at their ends when the page was made.
  if (isDiscovery()) {
    return `${sentence} Held at its ends, it changes neither words nor line ends often enough to tell.`;
  }
  return sentence;
}

/** Hold the number at a position from -1 to 1 between its limits; null lets it go. */
export function hold(position) {
  written.take.held = position;
  showHandle();
  showHeld();
}

/** Show which unit is watched: the claim at the top, the ends of the handle, and where it is held. */
function showWatched() {
  const { unit, ends, sentence } = watched;
  const [low, high] = ends;
  showClaim(data.discoveries.length > 0 ? sentence : data.sentence);
  byId("evidence").textContent = evidence();
  byId("left").textContent = low;
  byId("right").textContent = high;
  byId("unit").value = unit;
  byId("hold").ariaLabel = `The number, from ${low} to ${high}`;

  const { take } = written;
  if (take === null) {
    return;
  }
  // A take that held another number lets it go.
  if (take.unit !== unit) {
    take.held = null;
    setAsked(false);
  }
  take.unit = unit;
  showHandle();
  showHeld();
}

/** Show a sentence of which parts in asterisks are stressed. */
function showClaim(sentence) {
  const parts = sentence.split("*").map((part, index) => {
    const isStressed = index % 2 === 1;
    return isStressed ? make("em", "", part) : part;
  });
  byId("claim").replaceChildren(...parts);
}

/** Say which number it is, how it was found, and what tells its ends apart. */
function evidence() {
  const { unit, feature, correlation, untrained, told } = watched;
  const sentences = [`The number is the ${unitTitle(unit)}.`];
  if (isDiscovery()) {
    const comparison = `comparing all ${grouped(unitNames.length)} with “${feature}”`;
    const measured = `correlation ${signed(correlation)}, measured on ${data.measured}`;
    sentences.push(
      `It was found by ${comparison}: ${measured}.`,
      "In a network of this size that has learned nothing, " +
        `the best one reaches ${untrained.toFixed(2)}.`,
    );
  }
  if (told) {
    sentences.push(evidenceOf(watched));
  }
  return sentences.join(" ");
}

/** Hold the number where the handle is after an event of it, unless this is a key that does not move it. */
function followHandle({ target, key }) {
  const position = Number(target.value);
  const canHaveMoved = key === undefined || MOVING_KEYS.test(key);
  if (canHaveMoved && written.take.held !== position) {
    hold(position);
  }
}

/** Look at the next discovery: at the first after the last one, and after a unit that is none. */
function lookAtNext() {
  const { discoveries } = data;
  const index = discoveries.findIndex(({ unit }) => unit === watched.unit);
  const next = discoveries[(index + 1) % discoveries.length];
  lookAt(next.unit);
}

export function startHandle() {
  document.body.addEventListener("watchedchange", showWatched);
  for (const change of ["placechange", "piecechange"]) {
    document.body.addEventListener(change, showHandle);
  }
  const handle = byId("hold");
  // A click or a key at the end where the handle already is makes no input, but holds the number there.
  for (const event of ["input", "click", "keyup"]) {
    handle.addEventListener(event, followHandle);
  }
  for (const event of ["pointerdown", "keydown"]) {
    handle.addEventListener(event, beginMove);
  }
  undoSwipes(handle, () => written.take.held, hold);
  // The event is no argument of showAddress.
  handle.addEventListener("change", () => showAddress());

  onClick("release", () => {
    handle.focus();
    hold(null);
    showAddress();
  });
  onClick("another", lookAtNext);
  byId("another").hidden = data.discoveries.length < 2;
  byId("handle").hidden = data.discoveries.length === 0;
  byId("free-said").hidden = data.discoveries.length === 0;
}
