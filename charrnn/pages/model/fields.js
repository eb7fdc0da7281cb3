/* The fields of what is written: its settings, and the drawer that has most of them. */
import { percent } from "../shared/numbers.js";
import { chars } from "../shared/shown.js";
import { byId } from "../shared/view.js";
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
  const { temperature, topN, topP } = settings();
  byId("temperature-value").textContent = temperature.toFixed(2);
  byId("top-n-value").textContent = topN >= chars.length ? "all" : topN;
  byId("top-p-value").textContent = topP >= 1 ? "all" : percent(topP);
}

/** Bring the fields in line with settings or an entry of a plan. */
export function fillFields(entry) {
  for (const [name, key] of FIELDS) {
    byId(name).value = entry[key];
  }
  showSettings();
}
