/* The loss as curves, with a legend beside them, so that no label lies on a curve. */
import { byId, make } from "../shared/view.js";
import { counted, grouped } from "../shared/text.js";

/** Return the round numbers from 0 to a value: two to five of them. */
function ticksTo(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const apart = power * [1, 2, 5, 10].find((factor) => factor * power >= most / 4);
  return Array.from({ length: Math.floor(most / apart) + 1 }, (_, index) => index * apart);
}

/** Return the numbers of an axis, the last one with its unit. `styleOf` says where one is. */
function labelled(className, most, unit, styleOf) {
  return ticksTo(most).map((tick, index, { length }) => {
    const label = make("span", className, grouped(tick), index < length - 1 ? "" : ` ${unit}`);
    Object.assign(label.style, styleOf(tick / most));
    return label;
  });
}

/** Show the curves, whose axes follow the values, and move the slider above them.
 * @param {Object[]} looks with `updates`, and the losses in bits of what was `read` and of what is `held` out
 * @param {{blind: number, pairs: number}} lines losses to compare with
 * @param {?Object} best the look to be marked @param {Object} moment the look that is shown */
export function showCurves(looks, lines, best, moment) {
  const curves = ["read", "held"].map((name) => [name, looks.filter((look) => look[name] >= 0)]);
  const losses = curves.flatMap(([name, points]) => points.map((look) => look[name]));
  const top = 1.04 * Math.max(...losses, ...Object.values(lines));
  const steps = Math.max(20, looks.at(-1).updates);
  const y = (loss) => 1 - loss / top;
  for (const [name, points] of curves) {
    byId(`${name}-line`).setAttribute(
      "points",
      points.map((look) => `${look.updates / steps} ${y(look[name])}`).join(" "),
    );
  }
  for (const [name, loss] of Object.entries(lines)) {
    byId(`${name}-line`).setAttribute("transform", `translate(0 ${y(loss)})`);
  }
  for (const [name, loss] of Object.entries({ read: moment.read, held: moment.held, ...lines })) {
    byId(`${name}-now`).textContent = loss >= 0 ? `${loss.toFixed(2)} bits` : "";
  }
  byId("ticks").replaceChildren(
    ...labelled("level", top, "bits", (part) => ({ bottom: `${100 * part}%` })),
    ...labelled("step", steps, "steps", (part) => ({
      left: `${100 * part}%`,
      translate: `${-100 * part}%`,
    })),
  );
  byId("moment").setAttribute("transform", `translate(${moment.updates / steps} 0)`);
  Object.assign(byId("time"), { max: steps, value: moment.updates });
  byId("best").hidden = byId("overfits").hidden = !best;
  if (best) {
    Object.assign(byId("best").style, {
      left: `${(100 * best.updates) / steps}%`,
      top: `${100 * y(best.held)}%`,
    });
    byId("best-said").textContent = `step ${grouped(best.updates)}`;
  }
  byId("curve").ariaLabel =
    `Loss after ${counted(moment.updates, "step")}. ${byId("legend").textContent.replace(/\s+/g, " ")}`;
}
