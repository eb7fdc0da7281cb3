/* The model of this page: its characters, and its units. */
import { ask, byId } from "../shared/view.js";
import { grouped, unitName } from "../shared/text.js";
import { chars, setCharacters, setWatched } from "../shared/shown.js";

export const data = JSON.parse(document.getElementById("data").textContent);
setCharacters(
  data.vocabulary.map((code) => String.fromCodePoint(code)),
  data.long_line ?? Infinity,
);
export const places = new Map(chars.map((char, id) => [char, id]));

export const { num_layers: numLayers, lstm_size: lstmSize } = data.network;
export const unitNames = Array.from({ length: 2 * numLayers * lstmSize }, (_, offset) =>
  unitName(offset, lstmSize),
);
export const unitOffsets = new Map(unitNames.map((name, offset) => [name, offset]));

/** Return what a unit tracks, {name, correlation}, or null. */
export function tracked(unit) {
  const { features, best, correlations } = data.tracked;
  const offset = unitOffsets.get(unit);
  return best[offset] >= 0
    ? { name: features[best[offset]], correlation: correlations[offset] / 100 }
    : null;
}

/** Return between which values, from -127 to 127, a unit nearly always is. */
export function limitsOf(offset) {
  return [data.tracked.least[offset], data.tracked.most[offset]];
}

/** Look at a unit. Its highest is to the right, and blue, as everywhere on the page. */
export function lookAt(unit) {
  const discovery = data.discoveries.find((each) => each.unit === unit);
  const found = tracked(unit);
  const offset = unitOffsets.get(unit);
  const ends = discovery?.ends || ["low", "high"]; // where the feature is least and where it is most
  setWatched({
    unit,
    offset,
    limits: limitsOf(offset),
    feature: found?.name,
    correlation: found?.correlation || 0,
    sentence: `One of the ${grouped(unitNames.length)} numbers in this network${
      found ? ` has an idea of this: ${found.name}` : `, ${unit}`
    }.`,
    ...discovery,
    ends: discovery?.correlation < 0 ? [ends[1], ends[0]] : ends,
  });
}

/** Have the worker make the network. */
export function loadModel() {
  const model = JSON.parse(byId("weights").textContent);
  ask("load", { model, kernel: byId("kernel").textContent });
}
