/* What colours the text in Read: the surprise, or a unit, whose colours span its range over the text. */
"use strict";

const MOST_BITS = 8; // from here on a surprise has the full colour, as the legend says
const MEASURED = 200; // characters that are enough to tell what is usual for a unit
const { num_layers: numLayers, lstm_size: lstmSize } = data.network;
const numUnits = 2 * numLayers * lstmSize;

let colour = data.discoveries[0] || "surprise"; // or the name of another unit
let range = [-1, 1]; // of that unit, over what was read
let usual = null; // for each unit {mean, deviation, limits} of its values from -127 to 127

/** Return what a unit tracks, {name, about, counts, correlation}, or null. */
function tracked(name) {
  const { features, best, correlations } = data.tracked;
  const offset = unitOffset(name);
  return best[offset] < 0 ? null : { ...features[best[offset]], correlation: correlations[offset] / 100 };
}

/** Return where a unit is among the activations of a character. */
function unitOffset(name) {
  const { layer, part, unit } = parseUnit(name);
  return (2 * (layer - 1) + (part === "h" ? 1 : 0)) * lstmSize + unit - 1;
}

function unitName(offset) {
  const part = Math.floor(offset / lstmSize);
  return `${Math.floor(part / 2) + 1}/${part % 2 ? "h" : "c"}/${(offset % lstmSize) + 1}`;
}

/** Return the value of a unit at a place of the text, between -1 and 1. */
function unitValue(name, place) {
  return reading.seen[place].activations[unitOffset(name)] / 127;
}

// ---- colouring

/** Colour the characters that were read and are in cells. */
function colourText(from = 0, to = reading.seen.length) {
  for (let place = from; place < to; place++) {
    const cell = reading.seen[place] && reading.cells[place]?.firstChild;
    if (cell && colour === "surprise") {
      tint(cell, "bits", (reading.seen[place].surprise || 0) / MOST_BITS); // the first character has none
    } else if (cell) {
      tintByUnit(cell, scaled(unitValue(colour, place), range));
    }
  }
}

/** Measure the range of the colouring unit over what was read. Return whether it changed. */
function measureRange() {
  const before = range.join();
  const values = colour === "surprise" ? [0] : reading.seen.filter(Boolean).map(({ activations }) => (
    activations[unitOffset(colour)] / 127));
  range = values.length ? [Math.min(...values), Math.max(...values)] : [-1, 1];
  [find("least").textContent, find("most").textContent] = range.map(signed);
  return range.join() !== before;
}

// ---- what is usual for the units

/** Learn from a sample of what was read what is usual for each unit. */
function learnUsual() {
  const known = reading.seen.filter((each, place) => each && place >= Math.min(WARM, reading.seen.length / 2));
  const step = Math.ceil(known.length / MEASURED);
  const sample = known.filter((_, place) => place % step === 0).map(({ activations }) => activations);
  usual = Array.from({ length: numUnits }, (_, unit) => {
    let [sum, squares, least, most] = [0, 0, 127, -127];
    for (const { [unit]: value } of sample) {
      sum += value;
      squares += value * value;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    const mean = sum / sample.length;
    return { mean, deviation: Math.sqrt(Math.max(0, squares / sample.length - mean ** 2)), limits: [least, most] };
  });
}

/** Return the names of the units whose values are the most unusual for them at a place of the text. */
function standingOut(place, count) {
  const { activations } = reading.seen[place];
  const unusual = usual.map(({ mean, deviation }, unit) => Math.abs(activations[unit] - mean) / (deviation + 5));
  const names = largestIds(unusual, 2 * count).map(unitName);
  const cells = names.map((name) => name.replace(/[ch]/, "")); // of c and h of one cell only the more unusual one
  return names.filter((_, rank) => cells.indexOf(cells[rank]) === rank).slice(0, count);
}

/** Make a button for a unit with its value at a place, which colours the text by it. */
function unitChip(name, place) {
  const value = unitValue(name, place);
  const swatch = make("span", "swatch", signed(value));
  tintByUnit(swatch, scaled(127 * value, usual[unitOffset(name)].limits));
  const button = make("button", "chip", swatch, name, make("small", "", tracked(name)?.name || ""));
  button.type = "button";
  button.title = unitTitle(name);
  button.addEventListener("click", () => chooseColour(name));
  return button;
}

// ---- the choice

/** Colour the text by "surprise" or by a unit, and bring everything that shows the unit in line with it. */
function chooseColour(name) {
  colour = name;
  const isUnit = name !== "surprise";
  find("colour").value = data.units.some(({ unit, feature }) => unit === name && feature) || !isUnit ? name : "unit";
  if (isUnit) {
    const { layer, part, unit } = parseUnit(name);
    find("layer").value = layer;
    find("part").value = part;
    find("unit").value = unit;
  }
  find("legend-surprise").hidden = isUnit;
  find("legend-unit").hidden = !isUnit;
  showLead(name);
  measureRange();
  colourText();
  markUnit();
  showCell();
  showHeld();
  showAddress();
}

/** Say what a unit tracks, in words, and what is remarkable in it. */
function showLead(name) {
  const found = name !== "surprise" && tracked(name);
  let title = "A unit without a name";
  let lead = `${unitTitle(name)} tracks none of the properties that were looked for.`;
  if (name === "surprise") {
    title = "How surprised is it?";
    lead = "The stronger the colour, the less the network expected the character.";
  } else if (found) {
    const isClose = Math.abs(found.correlation) >= 0.5;
    title = isClose ? `Nobody told it about ${found.about}.` : `It may have learned something about ${found.about}.`;
    lead = `${unitTitle(name)} ${isClose ? "tracks" : "goes loosely with"}: ${found.name}. It ${
      direction(found)} (correlation ${signed(found.correlation)}).`;
  }
  find("read-title").textContent = title;
  find("read-lead").textContent = lead;
  const place = data.discoveries.indexOf(name);
  find("next").textContent = place < 0 ? "Discoveries" : `Next discovery (${place + 1} of ${data.discoveries.length})`;
}

function unitFromFields() {
  return `${find("layer").value}/${find("part").value}/${numberIn(find("unit"))}`;
}

function fillChoices() {
  const named = make("optgroup");
  named.label = "Units that track something";
  for (const { unit, feature } of data.units.filter((each) => each.feature)) {
    named.append(new Option(`${feature} (${unit})`, unit));
  }
  find("colour").append(new Option("Surprise", "surprise"), new Option("Any unit", "unit"));
  if (named.children.length) {
    find("colour").append(named);
  }
  for (let layer = 1; layer <= numLayers; layer++) {
    find("layer").append(new Option(layer, layer));
  }
  find("unit").max = lstmSize;
  find("unit").value = 1;
}

function startUnitChoice() {
  fillChoices();
  find("next").hidden = !data.discoveries.length;
  find("next").addEventListener("click", () => {
    chooseColour(data.discoveries[(data.discoveries.indexOf(colour) + 1) % data.discoveries.length]);
  });
  find("colour").addEventListener("change", () => {
    chooseColour(find("colour").value === "unit" ? unitFromFields() : find("colour").value);
  });
  for (const id of ["layer", "part", "unit"]) {
    find(id).addEventListener("change", () => chooseColour(unitFromFields()));
  }
}
