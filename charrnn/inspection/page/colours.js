/* What colours a text, the surprise or a unit; in Read the choice of it, and what is usual for the units. */
"use strict";

const MOST_BITS = 8; // from here on a surprise has the full colour, as the legend says
const MEASURED = 200; // characters that are enough to tell what is usual for a unit
const { num_layers: numLayers, lstm_size: lstmSize } = data.network;
const unitNames = []; // in the order of the activations of a character
for (let layer = 1; layer <= numLayers; layer++) {
  for (const part of "ch") {
    unitNames.push(...Array.from({ length: lstmSize }, (_, unit) => `${layer}/${part}/${unit + 1}`));
  }
}
const unitOffsets = new Map(unitNames.map((name, offset) => [name, offset]));
const namedUnits = data.units.filter(({ feature }) => feature);

let colour = data.discoveries[0] || "surprise"; // or the name of another unit
let range = [-1, 1]; // of that unit, over what was read
let usual = []; // for each unit {mean, deviation, limits} of its values from -127 to 127

/** Return what a unit tracks, {name, about, counts, correlation}, or null; also for "surprise". */
function tracked(name) {
  const { features, best, correlations } = data.tracked;
  const offset = unitOffsets.get(name);
  return best[offset] >= 0 ? { ...features[best[offset]], correlation: correlations[offset] / 100 } : null;
}

// ---- colouring

/** Colour a character by its surprise, or by a unit whose values have a range. */
function colourCell(cell, { surprise, activations }, name, limits = [-1, 1]) {
  if (name === "surprise") {
    tint(cell, "bits", (surprise || 0) / MOST_BITS); // the first character of a text has none
  } else {
    tintByUnit(cell, scaled(activations[unitOffsets.get(name)] / 127, limits));
  }
}

/** Colour the characters that have cells; while a text is read only if another range of the unit is found in it. */
function colourText(isOther = true) {
  const before = range.join();
  if (colour !== "surprise" && reading.known) {
    let [least, most] = [127, -127];
    for (let at = unitOffsets.get(colour); at < reading.known * unitNames.length; at += unitNames.length) {
      least = Math.min(least, reading.activations[at]);
      most = Math.max(most, reading.activations[at]);
    }
    range = [least / 127, most / 127];
  }
  [find("least").textContent, find("most").textContent] = range.map(signed);
  const cells = isOther || range.join() !== before ? reading.cells : [];
  cells.forEach((cell, place) => {
    if (cell) {
      colourCell(cell, seenAt(place), colour, range);
    }
  });
}

// ---- what is usual for the units

/** Learn from a sample of what was read what is usual for each unit. */
function learnUsual() {
  const sample = [];
  const from = Math.floor(Math.min(WARM, reading.known / 2));
  for (let place = from; place < reading.known; place += Math.ceil((reading.known - from) / MEASURED)) {
    sample.push(seenAt(place).activations);
  }
  usual = unitNames.map((_, unit) => {
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
  const { activations } = seenAt(place);
  const unusual = usual.map(({ mean, deviation }, unit) => Math.abs(activations[unit] - mean) / (deviation + 5));
  const names = largestIds(unusual, 2 * count).map((unit) => unitNames[unit]);
  const cells = names.map((name) => name.replace(/[ch]/, "")); // of c and h of one cell only the more unusual one
  return names.filter((_, rank) => cells.indexOf(cells[rank]) === rank).slice(0, count);
}

/** Return the value of a unit at the place that is shown, in its colour. */
function swatchOf(name) {
  const offset = unitOffsets.get(name);
  const value = seenAt(reading.at).activations[offset];
  const swatch = make("span", "", signed(value / 127));
  tintByUnit(swatch, scaled(value, usual[offset].limits));
  return swatch;
}

/** Make a button that colours the text in Read by a unit. */
function unitChip(name, note, ...before) {
  return makeButton("chip", () => {
    chooseColour(name);
    show("read");
  }, ...before, name, make("small", "", note));
}

// ---- the choice

/** Colour the text by "surprise" or by a unit, and bring everything that shows the unit in line with it. */
function chooseColour(name) {
  colour = name;
  find("colour").value = unitOffsets.has(name) && !namedUnits.some(({ unit }) => unit === name) ? "unit" : name;
  find("unit").value = unitOffsets.has(name) ? name : "";
  find("view-read").dataset.colour = unitOffsets.has(name) ? "unit" : "surprise";
  showLead();
  colourText();
  markUnit();
  showCell();
  showHeld();
  showAddress();
}

/** Say what the colouring unit tracks, in words, and what is remarkable in it. */
function showLead() {
  const found = tracked(colour);
  const isClose = Math.abs(found?.correlation) >= 0.5;
  const place = data.discoveries.indexOf(colour);
  let title = "How surprised is it?";
  let lead = "The stronger the colour, the less the network expected the character.";
  if (found) {
    title = isClose ? `Nobody told it about ${found.about}.` : `It may have learned something about ${found.about}.`;
    lead = `${unitTitle(colour)} ${isClose ? "tracks" : "goes loosely with"}: ${found.name}. It ${
      direction(found)} (correlation ${signed(found.correlation)}).`;
  } else if (colour !== "surprise") {
    title = "A unit without a name";
    lead = `${unitTitle(colour)} tracks none of the properties that were measured.`;
  }
  find("read-title").textContent = title;
  find("read-lead").textContent = lead;
  find("next").textContent = place < 0 ? "Discoveries" : `Next discovery (${place + 1} of ${data.discoveries.length})`;
}

function startColours() {
  const { discoveries } = data;
  for (const { unit, feature } of namedUnits) {
    find("colour").append(new Option(`${feature} (${unit})`, unit));
    find("written-colour").append(new Option(`${feature} (${unit})`, unit));
  }
  find("next").hidden = !discoveries.length;
  find("next").addEventListener("click", () => {
    chooseColour(discoveries[(discoveries.indexOf(colour) + 1) % discoveries.length]);
  });
  find("colour").addEventListener("change", ({ target }) => chooseColour(target.value));
  find("unit").addEventListener("change", ({ target: { value } }) => {
    chooseColour(unitOffsets.has(value) ? value : colour);
  });
}
