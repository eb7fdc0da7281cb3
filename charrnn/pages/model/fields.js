/* The fields of what is written: its settings, and the drawer that has most of them. */
import { percent } from "../shared/numbers.js";
import { chars } from "../shared/shown.js";
import { byId, showText } from "../shared/view.js";
import { FIELDS } from "./link.js";

/** Return the settings of the fields, as a plan has them. */
export function settings() {
  return Object.fromEntries(FIELDS.map(([name, key]) => [key, Number(byId(name).value)]));
}

/** Return how many characters are written a second. */
export function speedChosen() {
  return Number(byId("speed").value);
}

/** Show the values of the fields beside them. */
export function showSettings() {
  const { temperature, topN, topP, bestOf } = settings();
  showText("temperature-value", temperature.toFixed(2));
  showText("top-n-value", topN >= chars.length ? "all" : topN);
  showText("top-p-value", topP >= 1 ? "all" : percent(topP));
  showText("best-of-value", bestOf);
}

/** Bring the fields in line with settings or an entry of a plan. */
export function fillFields(entry) {
  for (const [name, key] of FIELDS) {
    byId(name).value = entry[key];
  }
  showSettings();
}
