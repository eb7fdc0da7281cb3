/* The model of this page: its characters, its units, and the directions of its memory. */
import { grouped } from "../shared/numbers.js";
import { chars, setCharacters } from "../shared/shown.js";
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
export const memories = numLayers * lstmSize; // of all layers
/** Those of c and of h. */
export const unitNames = Array.from({ length: 2 * memories }, (_, offset) =>
  unitName(offset, lstmSize),
);
/** Where the activations of a character have a unit, or a direction. */
export const offsets = new Map(
  [...unitNames, ...data.directions.map(({ name }) => name)].map((name, offset) => [name, offset]),
);
const FULL = 127; // of an activation: a direction has it half a span beyond its means

/** Return whether a name is that of a direction. */
export function isDirection(name) {
  return offsets.get(name) >= unitNames.length;
}

/** The first discovery that is a single unit. */
export const alone = data.discoveries.find(({ unit }) => !isDirection(unit));

/** Return the ids of a text, and what was replaced and left out: see encode. */
export function idsOf(text) {
  return encode(text, places, data.nearest);
}

export function discoveryOf(unit) {
  return data.discoveries.find((candidate) => candidate.unit === unit);
}

/** Return what a unit tracks, {name, correlation}, or null. A discovery tracks what is said of it at the top. */
export function tracked(unit) {
  const discovery = discoveryOf(unit);
  if (discovery) {
    return { name: discovery.feature, correlation: discovery.correlation };
  }
  const { features, best, correlations } = data.tracked;
  const offset = offsets.get(unit);
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

/** Return what is known of a unit or a direction that is watched: {unit, offset, limits, ends, feature, correlation, sentence},
 * see shown.js, and of a discovery more. Only a direction has `values`, because it alone is held. Its highest is to the right, and blue, as everywhere on the page. */
export function knownOf(unit) {
  const discovery = discoveryOf(unit);
  const feature = tracked(unit);
  const offset = offsets.get(unit);
  const limits = isDirection(unit) ? [-FULL, FULL] : limitsOf(offset);
  return {
    unit,
    offset,
    limits,
    values: data.directions.find(({ name }) => name === unit)?.ends,
    feature: feature?.name,
    correlation: feature?.correlation ?? 0,
    sentence: sentenceOf(unit, feature),
    ...discovery,
    ends: endsOf(discovery),
  };
}

function endsOf(discovery) {
  if (discovery === undefined) {
    return ["low", "high"];
  }
  const { unit, ends, correlation } = discovery;
  if (isDirection(unit)) {
    return ends;
  }
  return namesOfEnds(ends, correlation);
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
  const kernel = byId("kernel").textContent;
  const reader = JSON.parse(byId("reader").textContent);
  ask("load", { model, kernel, directions: data.directions, chars, reader });
}
