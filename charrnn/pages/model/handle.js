/* The number that is watched: the claim at the top, the handle that holds it, and how it was found. */
import { grouped, signed } from "../shared/numbers.js";
import { positionIn, valueAt, watched } from "../shared/shown.js";
import { unitTitle } from "../shared/text.js";
import { byId, make, onClick } from "../shared/view.js";
import { data, lookAt, unitNames } from "./model.js";
import { beginMove, evidenceOf, showHeld } from "./pair.js";
import { showAddress, written } from "./takes.js";

const FREE_ADVICE = "Drag the handle, and the number is held there: watch the words change.";
const MOVING_KEYS = /Arrow|Home|End|Page/;

/** Show where the handle holds the number, or the value of the number at the last character. */
export function showHandle() {
  const { held, seen } = written.take;
  const activations = seen.at(-1)?.activations; // of the last character
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
  byId("colour-said").textContent = colourSentence(held !== null);
  byId("hold-said").textContent = FREE_ADVICE;
  if (held !== null) {
    byId("hold-said").textContent =
      `Held at ${signed(value)} from the first letter on. ` +
      "Underlined: the words that your last move changed.";
  }
}

/** Say what the colour of the texts at the top is. */
function colourSentence(isHeld) {
  const { told } = watched;
  if (data.discoveries.length === 0) {
    return "The colour is that surprise.";
  }
  if (isHeld) {
    return "The same beginning, the same dice: only that number is held, where you put it.";
  }
  if (told) {
    return "The same beginning, the same dice: only that number is held at its two ends.";
  }
  const sentence = "The colour is that one number: it was never told what to follow.";
  // A unit that is no discovery was not tried.
  if (told === null) {
    return `${sentence} Held at its ends, it changed no word often enough to be named.`;
  }
  return sentence;
}

/** Hold the number at a position between its limits, or for null nowhere. */
function hold(position) {
  written.take.held = position;
  showHandle();
  showHeld();
}

/** Say what the unit is that is looked at: the claim at the top, and the ends of the handle. */
function showFocus() {
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
  // Another number is held by nobody.
  if (take.unit !== unit) {
    take.held = null;
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

/** Say which number it is, how it was found, and which words tell its ends apart. */
function evidence() {
  const { unit, feature, correlation, untrained, told } = watched;
  const sentences = [`The number is the ${unitTitle(unit)}.`];
  if (untrained !== undefined) {
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

/** Hold the number where the handle was moved. */
function followHandle({ target, key = "Arrow" }) {
  const position = Number(target.value);
  if (MOVING_KEYS.test(key) && written.take.held !== position) {
    hold(position);
  }
}

function lookAtNext() {
  const { discoveries } = data;
  const at = discoveries.findIndex(({ unit }) => unit === watched.unit);
  lookAt(discoveries[(at + 1) % discoveries.length].unit);
}

export function startHandle() {
  document.body.addEventListener("watchedchange", showFocus);
  const handle = byId("hold");
  // There is no input at the end where the handle already is.
  for (const event of ["input", "click", "keyup"]) {
    handle.addEventListener(event, followHandle);
  }
  for (const event of ["pointerdown", "keydown"]) {
    handle.addEventListener(event, beginMove);
  }
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
