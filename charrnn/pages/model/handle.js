/* What is watched, a direction of the memory or one unit: the claim at the top, the handle that holds a direction, and how it
 * was found. */
import { isNew, state } from "../shared/change.js";
import { grouped, signed } from "../shared/numbers.js";
import { unitTitle } from "../shared/text.js";
import { byId, make, onClick, showText, undoSwipes } from "../shared/view.js";
import { alone, data, isDirection, memories, unitNames } from "./model.js";
import { evidenceOf, placeOf, shareOf } from "./pair.js";
import { beginMove, hold, isOfPassage, showAddress, watch } from "./state.js";

const UNDERLINED =
  "Underlined: what your last move changed. From the first underlined word on, the dice fall otherwise.";
const MOVING_KEYS = /Arrow|Home|End|Page/;

/** Draw where the handle holds the direction that is watched. It moves by the reader alone: while nothing is held, it is in
 * the middle. A unit has no handle. */
export function drawHandle() {
  const { take, watched } = state;
  const { held } = take;
  if (!isNew("handle", take, watched, held)) {
    return;
  }
  byId("handle").hidden = !isDirection(watched.unit);
  showLead();
  if (!isDirection(watched.unit)) {
    return;
  }
  const handle = byId("hold");
  handle.value = held ?? 0;
  let value = "not held";
  let said = `Drag the handle: watch the text change.${shareOf(watched)}`;
  if (held !== null) {
    value = `held at ${placeOf(held)}`;
    said = `Held at ${placeOf(held)}, from the first letter on. ${UNDERLINED}`;
  }
  handle.ariaValueText = value;
  showText("hold-said", said);
}

/** Say what the texts at the top are. */
function showLead() {
  let does = "It writes the texts below; no person does.";
  let freeWhat = "Here nobody holds the handle.";
  if (isOfPassage()) {
    does = "Below it only reads.";
    freeWhat = `It did not write this: it is a passage of ${data.source}.`;
  } else if (!isDirection(state.watched.unit)) {
    freeWhat = "It wrote this.";
  }
  showText("does", does);
  showText("free-what", freeWhat);
  showText("colour-said", colourSentence());
}

/** Return what is said of the texts at the top: what their colour is, or how they are held. */
function colourSentence() {
  if (data.discoveries.length === 0) {
    return "The colour is that surprise.";
  }
  if (isDirection(state.watched.unit)) {
    return "The same beginning, the same dice: only the handle is elsewhere.";
  }
  return "The colour is that one number: it was never told what to follow.";
}

/** Return whether what is watched is a discovery, of which more is known. */
function isDiscovery({ untrained }) {
  return untrained !== undefined;
}

/** Draw what is watched: the claim at the top, and the ends of the handle. */
export function drawClaim() {
  const { watched } = state;
  if (!isNew("claim", watched)) {
    return;
  }
  const { unit, ends, sentence } = watched;
  const [low, high] = ends;
  showClaim(data.discoveries.length > 0 ? sentence : data.sentence);
  showText("evidence", evidence(watched));
  byId("alone").hidden = alone === undefined || alone.unit === unit;
  showText("left", low);
  showText("right", high);
  showText("low-key", low);
  showText("high-key", high);
  byId("unit").value = isDirection(unit) ? "" : unit;
  byId("hold").ariaLabel = `From ${low} to ${high}`;
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
function evidence(watched) {
  const { unit, feature, correlation, untrained, told, values } = watched;
  const sentences = [];
  if (isDirection(unit)) {
    const [least, most] = values;
    sentences.push(
      `The handle moves the ${grouped(memories)} numbers of its memory together, in one direction.`,
      `A linear probe reads “${feature}” from them: correlation ${signed(correlation)}, on text that it was not fitted on.`,
      `Where 0 is their mean without this, and 1 with it, the ends are at ${signed(least)} and ${signed(most)}.`,
    );
  } else {
    sentences.push(`The number is the ${unitTitle(unit)}.`);
  }
  if (isDiscovery(watched) && !isDirection(unit)) {
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

/** Hold the direction where the handle is after an event of it, unless this is a key that does not move it. */
function followHandle({ target, key }) {
  const position = Number(target.value);
  const canHaveMoved = key === undefined || MOVING_KEYS.test(key);
  if (canHaveMoved && state.take.held !== position) {
    hold(position);
  }
}

/** Watch the next discovery: the first after the last one, and after a unit that is none. */
function watchNext() {
  const { discoveries } = data;
  const index = discoveries.findIndex(({ unit }) => unit === state.watched.unit);
  const next = discoveries[(index + 1) % discoveries.length];
  watch(next.unit);
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
  undoSwipes(handle, () => state.take.held, hold);
  // The event is no argument of showAddress.
  handle.addEventListener("change", () => showAddress());

  onClick("release", () => {
    handle.focus();
    hold(null);
    showAddress();
  });
  onClick("another", watchNext);
  onClick("show-alone", () => {
    watch(alone.unit);
    byId("claim").scrollIntoView({ block: "nearest" });
  });
  byId("another").hidden = data.discoveries.length < 2;
  byId("free-said").hidden = data.discoveries.length === 0;
  if (alone) {
    showText("alone-said", alone.sentence);
  }
  showText("no-direction", data.no_direction);
}
