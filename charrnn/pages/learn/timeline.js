/* What the network wrote, at each step at which it was looked at, and how the loss went. */
import { counted, grouped } from "../shared/numbers.js";
import { chars, textOf } from "../shared/shown.js";
import { visible } from "../shared/text.js";
import { byId, make } from "../shared/view.js";
import { showCurves } from "./curve.js";
import { network } from "./network.js";

const WORSE = 0.07; // bits above the best loss of what is held out, from which on it is overfitting

/** The looks, each {updates, read, held, text}; the one with the lowest loss of what is held out, and the one whose text
 * is shown. `read` and `held` are the losses in bits. */
export const timeline = { looks: [], best: null, moment: null };

export function clearTimeline() {
  timeline.looks = [];
  timeline.best = null;
  timeline.moment = null;
}

/** Add a look, or put it in the place of that at the same step. It is shown if the newest one was. */
export function addLook(look, isBest) {
  const { looks } = timeline;
  const isFollowed = looks.length === 0 || looks.at(-1) === timeline.moment;
  if (looks.at(-1)?.updates !== look.updates) {
    looks.push({});
  }
  const newest = Object.assign(looks.at(-1), look);

  if (isBest) {
    timeline.best = newest;
  }
  showMoment(isFollowed ? newest : timeline.moment);
}

/** Leave out what came after a step. */
export function cutTimeline(step) {
  timeline.looks = timeline.looks.filter(({ updates }) => updates <= step);
  timeline.moment = timeline.looks.at(-1);
}

/** Show the look that is nearest to a step. */
export function showStep(step) {
  const distance = ({ updates }) => Math.abs(updates - step);
  const nearest = timeline.looks.reduce((closest, look) =>
    distance(look) < distance(closest) ? look : closest,
  );
  showMoment(nearest);
}

/** Show what was written at a look. */
export function showMoment(moment) {
  const start = textOf(network.beginning).length;
  byId("sample").replaceChildren(
    make("span", "prime", visible(moment.text.slice(0, start))),
    visible(moment.text.slice(start)),
  );

  const last = timeline.looks.at(-1).updates;
  let when = `after ${counted(last, "step")}`;
  if (moment.updates < last) {
    when = `after ${grouped(moment.updates)} of ${counted(last, "step")}`;
  }
  byId("when").textContent = when;
  byId("time").ariaValueText = when;

  timeline.moment = moment;
  drawCurves();
}

/** Draw the curves. The best step is marked when what is held out is clearly worse since. */
function drawCurves() {
  const { looks, best, moment } = timeline;
  const lines = { blind: Math.log2(chars.length), pairs: network.bigrams };
  const isOverfitting = looks.at(-1).held > best.held + WORSE;
  showCurves(looks, lines, isOverfitting ? best : null, moment);
}
