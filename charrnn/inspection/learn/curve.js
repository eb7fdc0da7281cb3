/* The loss as curves, with a legend beside them, so that no label lies on a curve. */
import { byId } from "../page/view.js";
import { counted, grouped } from "../page/text.js";

/** Show the curves, whose axes follow the values.
 * @param {Object[]} looks with `updates`, and the losses of what was `read` and of what is `held` out
 * @param {{blind: number, pairs: number}} lines losses to compare with
 * @param {?Object} best the look to be marked @param {number} moment the step with a line */
export function showCurves(looks, lines, best, moment) {
  const curves = ["read", "held"].map((name) => [name, looks.filter((look) => look[name] >= 0)]);
  const losses = curves.flatMap(([name, points]) => points.map((look) => look[name])).concat(Object.values(lines));
  const [most, least] = [Math.max(...losses), Math.min(...losses)];
  const [top, bottom] = [most + 0.04 * (most - least), Math.max(0, least - 0.08 * (most - least))];
  const steps = Math.max(20, looks.at(-1).updates);
  const y = (loss) => (top - loss) / (top - bottom);
  for (const [name, points] of curves) {
    byId(`${name}-line`).setAttribute("points", points.map((look) => `${look.updates / steps} ${y(look[name])}`).join(" "));
    byId(`${name}-now`).textContent = points.at(-1)?.[name].toFixed(2) ?? "";
  }
  for (const [name, loss] of Object.entries(lines)) {
    byId(`${name}-line`).setAttribute("transform", `translate(0 ${y(loss)})`);
    byId(`${name}-now`).textContent = loss.toFixed(2);
  }
  byId("moment").setAttribute("transform", `translate(${moment / steps} 0)`);
  byId("best").hidden = byId("best-said").hidden = !best;
  if (best) {
    const left = `${(100 * best.updates) / steps}%`;
    Object.assign(byId("best").style, { left, top: `${100 * y(best.held)}%` });
    Object.assign(byId("best-said").style, { left, translate: `-${left}` });
    byId("best-said").textContent = `best at step ${grouped(best.updates)}`;
  }
  byId("curve").ariaLabel = `Loss after ${counted(steps, "step")}. ${byId("legend").textContent.replace(/\s+/g, " ")}`;
}
