/* The settings of the page of learning: the fields whose values a link holds, and the seed. */
import { state } from "../shared/change.js";
import { ask, byId, showText } from "../shared/view.js";

export const USUAL_RATE = -2.5; // an exponent of 10, as the field has it
export const GENTLE_RATE = -3.5; // for a network that has learned before
const FIRST_VALUES = { layers: "1", units: "64", rate: USUAL_RATE, temperature: "0.7" };

/** Return the sizes of the next network. */
export function chosenSizes() {
  return { numLayers: Number(byId("layers").value), lstmSize: Number(byId("units").value) };
}

/** Show the sizes of the next network, also such as the page does not offer. */
export function showSizes({ numLayers, lstmSize }) {
  showSize("layers", numLayers);
  showSize("units", lstmSize);
}

function showSize(id, size) {
  const offered = Array.from(byId(id).options).find(({ text }) => text === String(size));
  const option = offered ?? byId(`${id}-other`);
  option.text = size;
  option.selected = true;
}

export function chosenTemperature() {
  return Number(byId("temperature").value);
}

export function useRate(exponent) {
  byId("rate").value = exponent;
  useFields();
}

/** Use the fields of what can change while it learns. */
export function useFields() {
  const rate = 10 ** byId("rate").value;
  showText("rate-value", rate.toPrecision(2));
  showText("temperature-value", chosenTemperature().toFixed(2));
  ask("pace", { rate });
}

/** Return the settings as [name, value], for a link. */
export function settingsOfLink() {
  const fields = Object.keys(FIRST_VALUES).map((name) => [name, byId(name).value]);
  return [...fields, ["seed", state.seed]];
}

/** Fill the fields with what a link has, and use them from now on. */
export function startSettings(query) {
  const isSeed = /^\d{1,9}$/.test(query.get("seed"));
  if (isSeed) {
    state.seed = Number(query.get("seed"));
  }

  for (const [name, first] of Object.entries(FIRST_VALUES)) {
    const field = byId(name);
    field.value = query.get(name) ?? first;
    // A list has no value where the link names a choice that it does not offer.
    field.value ||= first;
    field.addEventListener("input", useFields);
  }
}
