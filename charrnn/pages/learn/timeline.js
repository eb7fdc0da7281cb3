/* What the network wrote, at each step at which it was looked at, and how the loss went. */
import { isNew, state } from "../shared/change.js";
import { counted, grouped } from "../shared/numbers.js";
import { chars, textOf } from "../shared/shown.js";
import { visible } from "../shared/text.js";
import { byId, make, showText } from "../shared/view.js";
import { showCurves } from "./curve.js";
import { isOverfitting } from "./learning.js";

/** Draw the look that is shown: what was written then, and where that is on the curves. */
export function drawTimeline() {
  const { network, looks, best, moment } = state;
  if (moment === null) {
    return;
  }
  if (isNew("timeline", looks, moment)) {
    showMoment(network, moment, looks.at(-1).updates);
    const lines = { blind: Math.log2(chars.length), pairs: network.bigrams };
    showCurves(looks, lines, isOverfitting() ? best : null, moment);
  }
  byId("time").value = moment.updates;
}

/** Show what was written at a look, after some of `last` steps. */
function showMoment({ beginning }, { text, updates }, last) {
  const start = textOf(beginning).length;
  byId("sample").replaceChildren(
    make("span", "prime", visible(text.slice(0, start))),
    visible(text.slice(start)),
  );

  let when = `after ${counted(last, "step")}`;
  if (updates < last) {
    when = `after ${grouped(updates)} of ${counted(last, "step")}`;
  }
  showText("when", when);
  byId("time").ariaValueText = when;
}
