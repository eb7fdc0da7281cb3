/* The model of this page: its characters, and its units. */
import { grouped } from "../shared/numbers.js";
import { chars, setCharacters, setWatched } from "../shared/shown.js";
import { namesOfEnds, unitName } from "../shared/text.js";
import { ask, byId } from "../shared/view.js";
import { encode } from "./encode.js";

/** What charrnn/pages/webpage.py says of the model. */
export const data = JSON.parse(byId("data").textContent);
setCharacters(
  data.vocabulary.map((code) => String.fromCodePoint(code)),
  data.long_line ?? Infinity,
);
const places = new Map(chars.map((char, id) => [char, id]));

const { num_layers: numLayers, lstm_size: lstmSize } = data.network;
const unitCount = 2 * numLayers * lstmSize; // c and h
export const unitNames = Array.from({ length: unitCount }, (_, offset) =>
  unitName(offset, lstmSize),
);
export const unitOffsets = new Map(unitNames.map((name, offset) => [name, offset]));

/** Return the ids of a text, and what was replaced and left out: see encode. */
export function idsOf(text) {
  return encode(text, places, data.nearest);
}

function discoveryOf(unit) {
  return data.discoveries.find((candidate) => candidate.unit === unit);
}

/** Return what a unit tracks, {name, correlation}, or null. A discovery tracks what is said of it at the top. */
export function tracked(unit) {
  const discovery = discoveryOf(unit);
  if (discovery) {
    return { name: discovery.feature, correlation: discovery.correlation };
  }
  const { features, best, correlations } = data.tracked;
  const offset = unitOffsets.get(unit);
  const feature = best[offset];
  if (feature < 0) {
    return null;
  }
  return { name: features[feature], correlation: correlations[offset] / 100 };
}

/** Return between which values, from -127 to 127, a unit nearly always is. */
export function limitsOf(offset) {
  const { least, most } = data.tracked;
  return [least[offset], most[offset]];
}

/** Look at a unit. Its highest is to the right, and blue, as everywhere on the page. */
export function lookAt(unit) {
  const discovery = discoveryOf(unit);
  const feature = tracked(unit);
  const offset = unitOffsets.get(unit);
  setWatched({
    unit,
    offset,
    limits: limitsOf(offset),
    feature: feature?.name,
    correlation: feature?.correlation ?? 0,
    sentence: sentenceOf(unit, feature),
    ...discovery,
    ends: endsOf(discovery),
  });
}

function endsOf(discovery) {
  if (discovery === undefined) {
    return ["low", "high"];
  }
  return namesOfEnds(discovery.ends, discovery.correlation);
}

function sentenceOf(unit, feature) {
  const beginning = `One of the ${grouped(unitNames.length)} numbers in this network`;
  if (feature === null) {
    return `${beginning}, ${unit}.`;
  }
  return `${beginning} has an idea of this: ${feature.name}.`;
}

/** Have the worker make the network. */
export function loadModel() {
  const model = JSON.parse(byId("weights").textContent);
  ask("load", { model, kernel: byId("kernel").textContent });
}
