/* The view Read: the network reads a text, and the characters are coloured by what it makes of them. */
"use strict";

const MOST_CHARACTERS = 10000;
const MOST_BITS = 8; // from here on a surprise has the full colour, as the legend says
const ROWS = 5; // guesses and units in the card
const MEASURED = 100; // characters that are enough to tell what is usual for a unit
const { num_layers: numLayers, lstm_size: lstmSize } = data.network;

/* What is read of a text: `seen` is what the worker answers, for each character that was read so far; `at` is the place
 * that the card shows, `pinned` the one to go back to. */
const reading = { job: 0, text: null, ids: [], seen: [], cells: [], at: 0, pinned: 0 };
let colour = "surprise"; // or the name of a unit

// ---- reading

/** Have the network read a text from its beginning. */
function readText(text) {
  const { ids, note } = encode(text, places, data.nearest);
  const kept = ids.slice(0, MOST_CHARACTERS);
  const cut = kept.length < ids.length ? ` Only the first ${grouped(MOST_CHARACTERS)} characters are read.` : "";
  showNote("read-note", note + cut);
  const cells = showCells(find("text"), kept.map((id) => chars[id]));
  jobs.delete(reading.job); // what another reading still sends is not wanted
  const job = ask("read", { ids: kept }, { read: addSeen, done: finishReading });
  Object.assign(reading, { job, text, ids: kept, seen: [], cells, at: 0, pinned: 0 });
  find("text").scrollTop = 0;
  edit(false);
}

function addSeen({ seen }) {
  const from = reading.seen.length;
  reading.seen.push(...seen);
  colourText(from);
  showGuesses(from);
  find("read-status").textContent =
    `Reading: ${grouped(reading.seen.length)} of ${counted(reading.ids.length, "character")}.`;
  if (from === 0) {
    showCard(0);
  }
}

function finishReading() {
  const known = reading.seen.slice(1).map(({ surprise }) => surprise);
  const mean = known.reduce((sum, bits) => sum + bits, 0) / known.length;
  find("read-status").textContent = `${counted(reading.ids.length, "character")}${
    known.length ? `, ${mean.toFixed(2)} bits of surprise on average` : ""}.`;
  showCard(reading.at);
}

// ---- what is shown of the characters that were read, from a place on

function colourText(from = 0) {
  for (let place = from; place < reading.seen.length; place++) {
    const cell = reading.cells[place].firstChild;
    if (colour === "surprise") {
      tint(cell, "bits", (reading.seen[place].surprise || 0) / MOST_BITS); // the first character has none
    } else {
      tintByUnit(cell, unitValue(colour, place));
    }
  }
}

/** Put the likeliest next characters under each character, or nothing where they are not asked for. */
function showGuesses(from = 0) {
  const asked = find("guesses").checked;
  for (let place = from; place < reading.seen.length; place++) {
    const guesses = asked ? reading.seen[place].guesses : [];
    reading.cells[place].replaceChildren(reading.cells[place].firstChild, ...guesses.map(({ id, share }) => {
      const guess = make("small", id === reading.ids[place + 1] ? "framed" : "", glyph(chars[id]));
      guess.dataset.share = Math.min(99, Math.round(100 * share)) || "";
      tint(guess, "share", share);
      return guess;
    }));
  }
}

/** Return the value of a unit at a place of the text, between -1 and 1. */
function unitValue(name, place) {
  return reading.seen[place].activations[unitOffset(name)] / 127;
}

/** Return where a unit is among the activations of a character. */
function unitOffset(name) {
  const { layer, part, unit } = parseUnit(name);
  return (2 * (layer - 1) + (part === "h" ? 1 : 0)) * lstmSize + unit - 1;
}

// ---- the card

/** Show in the card how surprising a character was, what may follow it, and which units stand out. */
function showCard(place) {
  if (place >= reading.seen.length) {
    return;
  }
  const { surprise, guesses } = reading.seen[place];
  reading.cells[reading.at].firstChild.classList.remove("framed");
  reading.cells[place].firstChild.classList.add("framed");
  reading.at = place;
  const context = reading.ids.slice(Math.max(0, place - 12), place).map((id) => glyph(chars[id])).join("");
  find("card-title").replaceChildren(context, make("span", "framed", glyph(chars[reading.ids[place]])));
  find("card-surprise").textContent = Number.isNaN(surprise)
    ? "The first character has no surprise."
    : `Surprise: ${surprise.toFixed(1)} bits (probability ${percent(2 ** -surprise)})`;
  showBars(find("card-guesses"), guesses.map((guess) => (
    { ...guess, marked: guess.id === reading.ids[place + 1] })), ROWS);
  find("card-units").replaceChildren(...standingOut(place).map((name) => make("li", "", unitChip(name, place))));
}

/** Return the names of the units whose values are the most unusual for them at a place of the text. */
function standingOut(place) {
  const step = Math.ceil(reading.seen.length / MEASURED);
  const sample = reading.seen.filter((_, other) => other % step === 0).map(({ activations }) => activations);
  const mean = (ofValue) => sample.reduce((sum, values) => sum + ofValue(values), 0) / sample.length;
  const unusual = Array.from(reading.seen[place].activations, (value, unit) => {
    const usual = mean((values) => values[unit]);
    const deviation = Math.sqrt(mean((values) => (values[unit] - usual) ** 2));
    return Math.abs(value - usual) / (deviation + 5);
  });
  const names = largestIds(unusual, 2 * ROWS).map(unitName);
  const cells = names.map((name) => name.replace(/[ch]/, "")); // of c and h of one cell only the more unusual one
  return names.filter((_, rank) => cells.indexOf(cells[rank]) === rank).slice(0, ROWS);
}

function unitName(offset) {
  const part = Math.floor(offset / lstmSize);
  return `${Math.floor(part / 2) + 1}/${part % 2 ? "h" : "c"}/${(offset % lstmSize) + 1}`;
}

/** Return the feature that a unit tracks, with their correlation, or undefined. */
function tracked(name) {
  return data.units.find(({ unit, feature }) => unit === name && feature);
}

/** Make a button that colours the text by a unit, with its value at a place and what it tracks. */
function unitChip(name, place) {
  const value = unitValue(name, place);
  const swatch = make("span", "swatch", value.toFixed(2).replace("-", "\u2212"));
  tintByUnit(swatch, value);
  const button = make("button", "chip", swatch, name, make("small", "", tracked(name)?.feature || ""));
  button.type = "button";
  button.addEventListener("click", () => chooseColour(name));
  return button;
}

// ---- the choice of a colouring

/** Colour the text by "surprise" or by a unit, and bring the fields in line with it. */
function chooseColour(name) {
  colour = name;
  const isUnit = name !== "surprise";
  find("colour").value = isUnit && !tracked(name) ? "unit" : name;
  if (isUnit) {
    const { layer, part, unit } = parseUnit(name);
    find("layer").value = layer;
    find("part").value = part;
    find("unit").value = unit;
  }
  find("legend-surprise").hidden = isUnit;
  find("legend-unit").hidden = !isUnit;
  find("read-lead").textContent = isUnit ? unitLead(name)
    : "The stronger the colour, the less the network expected the character.";
  colourText();
  showAddress();
}

/** Return a sentence that says what a unit is. */
function unitLead(name) {
  const { layer, part, unit } = parseUnit(name);
  const { feature, correlation } = tracked(name) || {};
  return `Unit ${unit} of layer ${layer}, its ${part === "c" ? "memory" : "output"}${
    feature ? `, tracks: ${feature} (${signed(correlation)})` : ""}.`;
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

// ---- editing

function edit(open) {
  find("editor").hidden = !open;
  find("text").hidden = open;
  find("card").hidden = open || !reading.ids.length;
  find("edit").disabled = open;
  if (open) {
    find("source").value = reading.text;
    find("source").focus();
  }
}

function readSource() {
  if (find("source").value) {
    readText(find("source").value);
    find("text").focus();
  }
}

function startEditing() {
  find("edit").addEventListener("click", () => edit(true));
  find("cancel").addEventListener("click", () => edit(false));
  find("read-it").addEventListener("click", readSource);
  find("source").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      readSource();
    } else if (event.key === "Escape") {
      edit(false);
    }
  });
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (text && document.body.dataset.view === "read" && !event.target.closest("input, textarea")) {
      readText(text);
    }
  });
}

// ---- moving in the text

function move(event) {
  const last = reading.seen.length - 1;
  const line = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const targets = { ArrowLeft: reading.at - 1, ArrowRight: reading.at + 1, Home: 0, End: last };
  if (last < 0 || !(line || event.key in targets)) {
    return;
  }
  event.preventDefault();
  pin(Math.min(Math.max(line ? placeInLine(line) : targets[event.key], 0), last));
  reading.cells[reading.at].scrollIntoView({ block: "nearest" });
  find("spoken").textContent = `${nameOf(chars[reading.ids[reading.at]])}. ${find("card-surprise").textContent}`;
}

/** Return the place in the line above (-1) or below (1) that is nearest to the one that is shown. */
function placeInLine(step) {
  const { cells, at } = reading;
  const distances = cells.map((cell) => {
    const down = step * (cell.offsetTop - cells[at].offsetTop);
    return down > 0 ? 1e4 * down + Math.abs(cell.offsetLeft - cells[at].offsetLeft) : Infinity;
  });
  const [nearest] = largestIds(distances.map((distance) => -distance), 1);
  return distances[nearest] < Infinity ? nearest : at;
}

function pin(place) {
  reading.pinned = place;
  showCard(place);
}

function startRead() {
  fillChoices();
  startEditing();
  const paper = find("text");
  const pointed = (action) => (event) => {
    const cell = event.target.closest(".cell");
    if (cell) {
      action(reading.cells.indexOf(cell));
    }
  };
  paper.addEventListener("mouseover", pointed(showCard));
  paper.addEventListener("mouseleave", () => showCard(reading.pinned));
  paper.addEventListener("click", pointed(pin));
  paper.addEventListener("keydown", move);
  find("colour").addEventListener("change", () => {
    chooseColour(find("colour").value === "unit" ? unitFromFields() : find("colour").value);
  });
  for (const id of ["layer", "part", "unit"]) {
    find(id).addEventListener("change", () => chooseColour(unitFromFields()));
  }
  find("guesses").addEventListener("change", () => {
    paper.classList.toggle("guessing", find("guesses").checked);
    find("legend-guesses").hidden = !find("guesses").checked;
    showGuesses();
  });
}
