/* How far it has learned: the bar, the pieces that it writes meanwhile, and the curve. */
import { isNew, state } from "../shared/change.js";
import { counted, grouped } from "../shared/numbers.js";
import { textOf } from "../shared/shown.js";
import { visible } from "../shared/text.js";
import { byId, make, showText } from "../shared/view.js";
import { secondsLeft } from "./course.js";

const WIDTH = 100; // of the curve
const HEIGHT = 40;
const SPOKEN_PARTS = 4; // at which a screen reader hears how far it is

/** Draw how far it is. */
export function drawCourse() {
  const { stage, update, total, seconds } = state;
  byId("course").hidden = stage === "choosing" || total === 0;
  byId("stop").hidden = stage !== "learning";
  byId("go-on").hidden = stage !== "resting";
  byId("another").hidden = stage === "learning" || stage === "choosing";
  byId("to-writing").hidden = stage !== "learned";
  byId("bar").value = total > 0 ? update / total : 0;
  showText("course-said", headOf(stage));
  showText("left", describeCourse(stage));
  if (stage === "learning") {
    const part = Math.floor((SPOKEN_PARTS * update) / total);
    if (isNew("spoken", part)) {
      showText(
        "spoken",
        `${Math.round((100 * part) / SPOKEN_PARTS)}% is learned. ${leftInWords()}`,
      );
    }
  } else if (isNew("spoken", stage, seconds)) {
    showText("spoken", stage === "learned" ? headOf(stage) : "");
  }
  const isShown = state.pieces.length > 0 || stage === "learning";
  for (const id of ["pieces-of", "curve-of"]) {
    byId(id).hidden = !isShown; // a page that was saved has none
  }
  if (isNew("pieces-of", stage)) {
    byId("pieces-of").open = stage !== "learned"; // then its texts follow
  }
  const when = stage === "learning" ? "What it writes now" : "What it wrote meanwhile";
  showText("pieces-said", `${when}, the newest first. At the beginning, it wrote as before.`);
  drawPieces();
  drawCurve();
}

function headOf(stage) {
  if (stage === "learned") {
    return "It has learned your text";
  }
  return stage === "resting" ? "It was stopped" : "It learns your text";
}

function describeCourse(stage) {
  const { update, total, seconds } = state;
  if (stage === "learned") {
    const time = seconds > 0 ? ` in ${inWords(seconds)}` : "";
    return `It has ended by itself, after ${counted(update, "step")}${time}.`;
  }
  const share = `${grouped(update)} of ${counted(total, "step")}`;
  return stage === "resting" ? `${share}.` : `${leftInWords()} ${share}.`;
}

function leftInWords() {
  return `About ${inWords(secondsLeft())} left.`;
}

/** Return a time as people say it. */
export function inWords(seconds) {
  const rounded = Math.max(1, Math.round(seconds));
  if (rounded < 10) {
    return counted(rounded, "second");
  }
  if (rounded < 90) {
    return counted(5 * Math.round(rounded / 5), "second");
  }
  return counted(Math.round(rounded / 60), "minute");
}

function drawPieces() {
  const { pieces } = state;
  if (!isNew("pieces", pieces)) {
    return;
  }
  const box = byId("pieces");
  const paragraphs = pieces.map(({ ids }) => make("p", "", visible(textOf(ids).trim())));
  box.replaceChildren(...paragraphs);
}

function drawCurve() {
  const { losses, heldOut, total } = state;
  if (!isNew("curve", losses, heldOut)) {
    return;
  }
  const all = [...losses, ...heldOut].map(({ loss }) => loss);
  const most = Math.max(...all, 1);
  const pointsOf = (curve) =>
    curve
      .map(({ update, loss }) => `${(WIDTH * update) / total},${HEIGHT * (1 - loss / most)}`)
      .join(" ");
  byId("read-line").setAttribute("points", pointsOf(losses));
  byId("held-line").setAttribute("points", pointsOf(heldOut));
  const read = bitsOf(losses);
  const held = bitsOf(heldOut);
  showText(
    "curve-said",
    `Bits of surprise a letter: ${read} in what it reads (with some of its units switched off), and ${held}, dashed, in the ` +
      "last tenth, which it never reads. That this one rises at the end is usual: your words come then.",
  );
}

function bitsOf(curve) {
  return curve.length === 0 ? "…" : (curve.at(-1).loss / Math.LN2).toFixed(2);
}
