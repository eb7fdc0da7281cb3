/* The fields of what is written: its settings, and the drawer that has most of them. */
import { byId, showText } from "../shared/view.js";
import { FIELDS } from "./link.js";

/** Return the settings of the fields, as a plan has them. */
export function settings() {
  return Object.fromEntries(FIELDS.map(({ name, key }) => [key, Number(byId(name).value)]));
}

/** Return how many characters are written a second. */
export function speedChosen() {
  return Number(byId("speed").value);
}

/** Show the values of the fields beside them. */
export function showSettings() {
  const chosen = settings();
  for (const { name, key, most, step, at_most: atMost } of FIELDS) {
    const value = chosen[key];
    const decimals = Number.isInteger(step) ? 0 : 2;
    const isAtMost = atMost !== "" && value >= most;
    showText(`${name}-value`, isAtMost ? atMost : value.toFixed(decimals));
  }
}

/** Bring the fields in line with settings or an entry of a plan. */
export function fillFields(entry) {
  for (const { name, key } of FIELDS) {
    byId(name).value = entry[key];
  }
  showSettings();
}
