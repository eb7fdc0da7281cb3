/* The model of this page: its characters, its units, the unit that is looked at, and what the colours say. */
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const chars = data.vocabulary.map((code) => String.fromCodePoint(code));
const places = new Map(chars.map((char, id) => [char, id]));

function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

const { num_layers: numLayers, lstm_size: lstmSize } = data.network;
const partNames = Array.from({ length: numLayers }, (_, layer) => [`${layer + 1}/c`, `${layer + 1}/h`]).flat();
// in the order of the activations of a character
const unitNames = partNames.flatMap((part) => Array.from({ length: lstmSize }, (_, unit) => `${part}/${unit + 1}`));
const unitOffsets = new Map(unitNames.map((name, offset) => [name, offset]));
let focus = null; // {unit, offset, limits, ends, feature, correlation, sentence}, and for a discovery more

/** Return what a unit tracks, {name, correlation}, or null. */
function tracked(unit) {
  const { features, best, correlations } = data.tracked;
  const offset = unitOffsets.get(unit);
  return best[offset] >= 0 ? { name: features[best[offset]], correlation: correlations[offset] / 100 } : null;
}

/** Return between which values, from -127 to 127, a unit nearly always is. */
function limitsOf(offset) {
  return [data.tracked.least[offset], data.tracked.most[offset]];
}

/** Look at a unit. Its highest is to the right, and blue, as everywhere on the page. */
function lookAt(unit) {
  const discovery = data.discoveries.find((each) => each.unit === unit);
  const found = tracked(unit);
  const offset = unitOffsets.get(unit);
  const ends = discovery?.ends || ["low", "high"]; // where the feature is least and where it is most
  focus = { unit, offset, limits: limitsOf(offset), feature: found?.name, correlation: found?.correlation || 0,
    sentence: `One of the ${grouped(unitNames.length)} numbers in this network${
      found ? ` has an idea of this: ${found.name}` : `, ${unit}`}.`,
    ...discovery, ends: discovery?.correlation < 0 ? [ends[1], ends[0]] : ends };
  document.body.dispatchEvent(new Event("focuschange"));
}

/** Return where the value of the unit is between its limits: -1 at the left end, 1 at the right. */
function positionIn(activations) {
  const position = scaled(activations[focus.offset] / 127, focus.limits.map((limit) => limit / 127));
  return Math.max(-1, Math.min(1, position));
}

/** Return the value of the unit at a position. At -1 and 1 a memory would be infinite. */
function valueAt(position) {
  const [least, most] = focus.limits.map((limit) => limit / 127);
  const value = least + ((position + 1) / 2) * (most - least);
  return Math.round(100 * Math.max(-0.99, Math.min(0.99, value))) / 100;
}

const MOST_BITS = 8; // from here on a surprise has the full colour
const COLOURS = { // of a cell, by what is known of its character
  unit: (cell, { activations }) => tintByUnit(cell, positionIn(activations)),
  probability: (cell, { surprise }) => tint(cell, "share", 2 ** -surprise),
  none: () => {},
  surprise: (cell, { surprise }) => tint(cell, "bits", (surprise || 0) / MOST_BITS), // the first character has none
};

/** Have the worker make the network. */
function loadModel() {
  const model = JSON.parse(find("weights").textContent);
  ask("load", { model, kernel: find("kernel").textContent }, ({ isFast }) => {
    document.body.dataset.loaded = isFast ? "fast" : "slow";
    find("engine-used").textContent = isFast ? "WebAssembly with SIMD"
      : "plain JavaScript, because WebAssembly with SIMD is missing or forbidden here: five to ten times slower";
  });
}
