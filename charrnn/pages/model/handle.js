/* What is watched, a direction of the memory or one unit: the claim at the top, the handle that holds it, and how it was
 * found. */
import { grouped, signed } from "../shared/numbers.js";
import { watched } from "../shared/shown.js";
import { unitTitle } from "../shared/text.js";
import { byId, make, onClick, undoSwipes } from "../shared/view.js";
import { alone, data, isDirection, lookAt, memories, unitNames } from "./model.js";
import { beginMove, evidenceOf, isOfPassage, placeOf, shareOf, showHeld } from "./pair.js";
import { setAsked, showAddress, written } from "./takes.js";

const UNDERLINED =
  "Underlined: what your last move changed. From the first underlined word on, the dice fall otherwise.";
const MOVING_KEYS = /Arrow|Home|End|Page/;

/** Show where the handle holds what is watched. It moves by the reader alone: while nothing is held, it is in the middle. */
export function showHandle() {
  const { held } = written.take;
  const handle = byId("hold");
  handle.value = held ?? 0;
  let state = "not held";
  let said = `Drag the handle: watch the text change.${shareOf(watched)}`;
  if (isOfPassage()) {
    said = "Drag the handle: then the network writes, held there.";
  }
  if (held !== null) {
    state = `held at ${placeOf(held)}`;
    said = `Held at ${placeOf(held)}, from the first letter on. ${UNDERLINED}`;
  }
  handle.ariaValueText = state;
  byId("hold-said").textContent = said;
  showLead(held !== null);
}

/** Return whether what is watched is a discovery, of which more is known. */
function isDiscovery() {
  return watched.untrained !== undefined;
}

/** Say what the texts at the top are. */
function showLead(isHeld) {
  byId("does").textContent = "It writes the texts below; no person does.";
  byId("free-what").textContent = "Here nobody holds the handle.";
  if (isOfPassage() && !isHeld) {
    byId("does").textContent = "Below it only reads.";
    byId("free-what").textContent =
      `It did not write this: it is a passage of ${data.source}. Nobody holds the handle.`;
  }
  byId("colour-said").textContent = colourSentence(isHeld);
}

/** Return what is said of the texts at the top: what their colour is, or how they are held. */
function colourSentence(isHeld) {
  if (data.discoveries.length === 0) {
    return "The colour is that surprise.";
  }
  if (isHeld || watched.told) {
    return "The same beginning, the same dice: only the handle is elsewhere.";
  }
  const sentence = "The colour is that one number: it was never told what to follow.";
  // Only discoveries were held at their ends when the page was made.
  if (isDiscovery()) {
    return `${sentence} Held at its ends, it changes no words and no line ends so much that it can be told.`;
  }
  return sentence;
}

/** Hold what is watched at a position from -1 to 1 between its ends; null lets it go. */
export function hold(position) {
  written.take.held = position;
  showHandle();
  showHeld();
}

/** Show what is watched: the claim at the top, the ends of the handle, and where it is held. */
export function showWatched() {
  const { unit, ends, sentence } = watched;
  const [low, high] = ends;
  showClaim(data.discoveries.length > 0 ? sentence : data.sentence);
  byId("evidence").textContent = evidence();
  byId("alone").hidden = alone === undefined || alone.unit === unit;
  byId("left").textContent = low;
  byId("right").textContent = high;
  byId("low-key").textContent = low;
  byId("high-key").textContent = high;
  byId("unit").value = isDirection(unit) ? "" : unit;
  byId("hold").ariaLabel = `From ${low} to ${high}`;

  const { take } = written;
  if (take === null) {
    return;
  }
  // A take that held something else lets it go.
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

/** Say what it is, how it was found, and what tells its ends apart. */
function evidence() {
  const { unit, feature, correlation, untrained, told, values } = watched;
  const [least, most] = values;
  const sentences = [];
  if (isDirection(unit)) {
    sentences.push(
      `The handle moves the ${grouped(memories)} numbers of its memory together, in one direction.`,
      `A linear probe reads “${feature}” from them: correlation ${signed(correlation)}, on text that it was not fitted on.`,
      `Where 0 is their mean without this, and 1 with it, the ends are at ${signed(least)} and ${signed(most)}.`,
    );
  } else {
    sentences.push(`The number is the ${unitTitle(unit)}.`);
  }
  if (isDiscovery() && !isDirection(unit)) {
    sentences.push(
      `Of all ${grouped(unitNames.length)}, it has most to do with “${feature}”: ` +
        `correlation ${signed(correlation)}, measured on ${data.measured}.`,
      "In a network of this size that has learned nothing, " +
        `the best one reaches ${untrained.toFixed(2)}.`,
    );
  }
  if (told) {
    sentences.push(evidenceOf(watched));
  }
  return sentences.join(" ");
}

/** Hold what is watched where the handle is after an event of it, unless this is a key that does not move it. */
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
  const handle = byId("hold");
  // A click or a key at the end where the handle already is makes no input, but holds it there.
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
  onClick("try-alone", () => {
    lookAt(alone.unit);
    byId("claim").scrollIntoView({ block: "nearest" });
  });
  byId("another").hidden = data.discoveries.length < 2;
  byId("handle").hidden = data.discoveries.length === 0;
  byId("free-said").hidden = data.discoveries.length === 0;
  if (alone) {
    byId("alone-said").textContent = alone.sentence.replaceAll("*", "") + shareOf(alone);
  }
  byId("no-direction").textContent = data.no_direction;
}
