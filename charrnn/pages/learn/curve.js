/* The loss as curves, with a legend beside them, so that no label lies on a curve. */
import { counted, grouped } from "../shared/numbers.js";
import { byId, make, showText } from "../shared/view.js";

const HEADROOM = 1.04; // of the axis above the largest loss
const LEAST_STEPS = 20; // of the axis

/** Return the round numbers from 0 to a value: two to five of them. */
function ticksTo(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= most / 4);
  const distance = power * factor;
  const count = Math.floor(most / distance) + 1;
  return Array.from({ length: count }, (_, index) => index * distance);
}

/** Return the labels of an axis, the last one with its unit.
 * @param {Function} styleOf from the part of the axis at which a label is to its style */
function labelsOf(className, most, unit, styleOf) {
  const ticks = ticksTo(most);
  return ticks.map((tick) => {
    const isLast = tick === ticks.at(-1);
    const label = make("span", className, grouped(tick), isLast ? ` ${unit}` : "");
    Object.assign(label.style, styleOf(tick / most));
    return label;
  });
}

function percentOf(part) {
  return `${100 * part}%`;
}

/** Show the curves, whose axes follow the values, as that of the slider above them does.
 * @param {Object[]} looks with `updates`, and the losses in bits of what was `read` and of what is `held` out
 * @param {{blind: number, pairs: number}} lines losses to compare with
 * @param {?Object} best the look to be marked @param {Object} moment the look that is shown */
export function showCurves(looks, lines, best, moment) {
  // The first look has no loss of what was read.
  const read = looks.filter((look) => look.read >= 0);
  const held = looks.filter((look) => look.held >= 0);
  const losses = [
    ...read.map((look) => look.read),
    ...held.map((look) => look.held),
    ...Object.values(lines),
  ];
  const top = HEADROOM * Math.max(...losses);
  const steps = Math.max(LEAST_STEPS, looks.at(-1).updates);
  // The drawing is one wide and one high.
  const x = (updates) => updates / steps;
  const y = (loss) => 1 - loss / top;

  const pointsOf = (name, points) => points.map((look) => `${x(look.updates)} ${y(look[name])}`);
  byId("read-line").setAttribute("points", pointsOf("read", read).join(" "));
  byId("held-line").setAttribute("points", pointsOf("held", held).join(" "));
  for (const [name, loss] of Object.entries(lines)) {
    byId(`${name}-line`).setAttribute("transform", `translate(0 ${y(loss)})`);
  }
  byId("ticks").replaceChildren(
    ...labelsOf("level", top, "bits", (part) => ({ bottom: percentOf(part) })),
    ...labelsOf("step", steps, "steps", (part) => ({
      left: percentOf(part),
      translate: percentOf(-part),
    })),
  );

  for (const [name, loss] of Object.entries({ read: moment.read, held: moment.held, ...lines })) {
    showText(`${name}-now`, loss >= 0 ? `${loss.toFixed(2)} bits` : "");
  }
  byId("moment").setAttribute("transform", `translate(${x(moment.updates)} 0)`);
  byId("time").max = steps;
  const legend = byId("legend").textContent.replace(/\s+/g, " ");
  byId("curve").ariaLabel = `Loss after ${counted(moment.updates, "step")}. ${legend}`;

  byId("best").hidden = best === null;
  byId("overfits").hidden = best === null;
  if (best !== null) {
    byId("best").style.left = percentOf(x(best.updates));
    byId("best").style.top = percentOf(y(best.held));
    showText("best-said", `step ${grouped(best.updates)}`);
  }
}
