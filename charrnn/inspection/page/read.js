/* The view Read: the network reads a text, and the characters are coloured by what it makes of them. */
"use strict";

const MOST_CHARACTERS = 10000;
const MOST_BITS = 8; // from here on a surprise has the full colour
const STANDING_OUT = 6; // units named in the card
const GUESSES_SHOWN = Math.min(5, chars.length);
const { num_layers: numLayers, lstm_size: lstmSize } = data.network;
const WIDTH = 2 * numLayers * lstmSize; // activations of a character

// what was read so far of the text; `at` is the place that the card shows, `pinned` the one to go back to
const reading = {
  job: 0, text: null, ids: [], done: 0, surprise: [], guesses: [], shares: [], activations: null, cells: [],
  at: -1, pinned: 0, note: "",
};
let colour = "surprise"; // or the name of a unit

// ---- reading

/** Have the network read a text from its beginning. */
function readText(text) {
  const { ids, note } = encode(text, places, data.nearest);
  const cut = ids.length > MOST_CHARACTERS;
  const kept = ids.slice(0, MOST_CHARACTERS);
  Object.assign(reading, {
    text, ids: kept, done: 0, surprise: [], guesses: [], shares: [], at: -1, pinned: 0,
    activations: new Int8Array(kept.length * WIDTH),
    note: note + (cut ? ` Only the first ${grouped(MOST_CHARACTERS)} characters are read.` : ""),
  });
  find("read-note").textContent = reading.note;
  find("read-note").hidden = !reading.note;
  showText();
  showCard(-1);
  find("progress").classList.remove("over");
  worker.postMessage({ type: "stop", kind: "read" });
  const job = ask("read", { ids: kept }, {
    read: (piece) => {
      if (reading.job === job) {
        addPiece(piece);
      }
    },
    done: () => {
      if (reading.job === job) {
        finishReading();
      }
    },
  });
  reading.job = job;
}

function addPiece({ from, surprise, guesses, shares, activations }) {
  reading.activations.set(activations, from * WIDTH);
  reading.surprise.push(...surprise);
  reading.guesses.push(...guesses);
  reading.shares.push(...shares);
  reading.done = from + surprise.length;
  for (let place = from; place < reading.done; place++) {
    colourCell(place);
    showGuesses(place);
  }
  find("progress").value = reading.done / reading.ids.length;
  find("read-status").textContent = `Reading: ${grouped(reading.done)} of ${counted(reading.ids.length, "character")}.`;
  if (reading.at < 0) {
    showCard(reading.pinned);
  }
}

function finishReading() {
  const known = reading.surprise.slice(1);
  const mean = known.reduce((sum, bits) => sum + bits, 0) / known.length;
  find("progress").value = 1;
  find("progress").classList.add("over");
  find("read-status").textContent = `${counted(reading.ids.length, "character")}${
    known.length ? `, ${mean.toFixed(2)} bits of surprise on average` : ""}.`;
  showCard(reading.at < 0 ? reading.pinned : reading.at);
}

// ---- the text

function showText() {
  const paper = find("text");
  const fragment = document.createDocumentFragment();
  reading.cells = reading.ids.map((id, place) => {
    const char = chars[id];
    const cell = make("span", "cell", make("b", char === "\n" ? "end" : "", char === "\n" ? "" : visible(char)));
    cell.place = place;
    fragment.append(cell);
    if (char === "\n") {
      fragment.append(make("br"));
    }
    return cell;
  });
  paper.replaceChildren(fragment);
  paper.scrollTop = 0;
}

/** Return the value that a character's colour shows: in [0, 1] for surprise, in [-1, 1] for a unit. */
function shownValue(place) {
  if (colour === "surprise") {
    return (reading.surprise[place] || 0) / MOST_BITS; // the first character has none
  }
  return reading.activations[place * WIDTH + unitOffset(colour)] / 127;
}

/** Return where a unit is among the activations of a character. */
function unitOffset(name) {
  const { layer, part, unit } = parseUnit(name);
  return (2 * (layer - 1) + (part === "h" ? 1 : 0)) * lstmSize + unit - 1;
}

function colourCell(place) {
  tint(reading.cells[place].firstChild, shownValue(place));
}

function colourText() {
  for (let place = 0; place < reading.done; place++) {
    colourCell(place);
  }
}

/** Put the likeliest next characters under a character, where they are asked for. */
function showGuesses(place) {
  const cell = reading.cells[place];
  if (!find("guesses").checked || cell.children.length > 1) {
    return;
  }
  const next = reading.ids[place + 1];
  for (let rank = 0; rank < GUESSES_SHOWN; rank++) {
    const id = reading.guesses[place * GUESSES_SHOWN + rank];
    const share = reading.shares[place * GUESSES_SHOWN + rank];
    const guess = make("i", id === next ? "true" : "", glyph(chars[id]));
    guess.dataset.share = Math.min(99, Math.round(100 * share)) || "";
    guess.style.setProperty("--v", share.toFixed(3));
    cell.append(guess);
  }
}

// ---- the card

/** Show in the card how surprising a character was and what may follow it; for -1, that there is none. */
function showCard(place) {
  if (reading.cells[reading.at]) {
    reading.cells[reading.at].classList.remove("at");
  }
  reading.at = place < reading.done ? place : -1;
  if (reading.at < 0) {
    find("card-title").textContent = "Point at a character";
    find("card-surprise").textContent = "";
    showBars(find("card-guesses"), [], GUESSES_SHOWN);
    find("card-units").replaceChildren();
    return;
  }
  reading.cells[place].classList.add("at");
  find("card-title").replaceChildren(
    make("span", "context", reading.ids.slice(Math.max(0, place - 12), place).map((id) => glyph(chars[id])).join("")),
    make("mark", "", glyph(chars[reading.ids[place]])));
  const bits = reading.surprise[place];
  find("card-surprise").textContent = Number.isNaN(bits)
    ? "The first character: nothing came before it to predict it from."
    : `Surprise: ${bits.toFixed(1)} bits (probability ${percent(2 ** -bits)})`;
  const from = place * GUESSES_SHOWN;
  showBars(find("card-guesses"), reading.guesses.slice(from, from + GUESSES_SHOWN).map((id, rank) => (
    { id, share: reading.shares[from + rank], marked: id === reading.ids[place + 1] })), GUESSES_SHOWN);
  find("card-units").replaceChildren(...standingOut(place).map(unitChip));
}

/** Return the names of the units whose values are the most unusual for them at a place of the text. */
function standingOut(place) {
  const step = Math.max(1, Math.floor(reading.done / 500)); // a sample of the text is enough for the means
  const sums = new Float64Array(WIDTH);
  const squares = new Float64Array(WIDTH);
  let count = 0;
  for (let other = 0; other < reading.done; other += step) {
    for (let unit = 0; unit < WIDTH; unit++) {
      const value = reading.activations[other * WIDTH + unit];
      sums[unit] += value;
      squares[unit] += value * value;
    }
    count++;
  }
  const unusual = sums.map((sum, unit) => {
    const mean = sum / count;
    const deviation = Math.sqrt(Math.max(0, squares[unit] / count - mean * mean));
    return Math.abs(reading.activations[place * WIDTH + unit] - mean) / (deviation + 5);
  });
  for (let offset = 0; offset < WIDTH; offset++) { // of c and h of one cell only the more unusual one
    if (Math.floor(offset / lstmSize) % 2 === 0) {
      const output = offset + lstmSize;
      unusual[unusual[offset] < unusual[output] ? offset : output] = 0;
    }
  }
  return largestIds(unusual, STANDING_OUT).map(unitName);
}

function unitName(offset) {
  const part = Math.floor(offset / lstmSize);
  return `${Math.floor(part / 2) + 1}/${part % 2 ? "h" : "c"}/${(offset % lstmSize) + 1}`;
}

/** Make a button that colours the text by a unit, with what it tracks where that has a name. */
function unitChip(name) {
  const tracked = data.units.find((each) => each.unit === name && each.feature);
  const value = reading.activations[reading.at * WIDTH + unitOffset(name)] / 127;
  const swatch = make("b", "swatch", value.toFixed(2).replace("-", "\u2212"));
  tint(swatch, value);
  const button = make("button", "chip", make("span", "", name), swatch, make("small", "", tracked ? tracked.feature : ""));
  button.type = "button";
  button.addEventListener("click", () => chooseColour(name));
  return make("li", "", button);
}

// ---- the choice of a colouring

/** Colour the text by "surprise" or by a unit, and bring the fields in line with it. */
function chooseColour(name) {
  colour = name;
  const isUnit = name !== "surprise";
  const options = [...find("colour").options].map((option) => option.value);
  find("colour").value = options.includes(name) ? name : "unit";
  if (isUnit) {
    const { layer, part, unit } = parseUnit(name);
    find("layer").value = layer;
    find("part").value = part;
    find("unit").value = unit;
  }
  document.querySelectorAll("#text, #legend").forEach((element) => {
    element.dataset.colour = isUnit ? "unit" : "surprise";
  });
  find("legend-low").textContent = isUnit ? "\u22121" : "0 bits";
  find("legend-high").textContent = isUnit ? "+1" : `${MOST_BITS} bits or more`;
  find("legend").setAttribute("aria-label", isUnit
    ? "Red is minus one, no colour is zero, blue is plus one" : "The stronger the colour, the greater the surprise");
  find("read-lead").textContent = lead(name);
  colourText();
  if (document.body.dataset.view === "read") {
    setFragment(isUnit ? `read/${name}` : "read");
  }
}

/** Return a sentence that says what the colours mean. */
function lead(name) {
  if (name === "surprise") {
    return "The stronger the colour of a character, the less the network expected it from what comes before.";
  }
  const tracked = data.units.find((each) => each.unit === name && each.feature);
  const { layer, part, unit } = parseUnit(name);
  return `Unit ${unit} of layer ${layer}, ${part === "c" ? "its memory" : "its output"}.${
    tracked ? ` It tracks: ${tracked.feature} (correlation ${signed(tracked.correlation)}).` : ""}`;
}

function signed(number) {
  return `${number < 0 ? "\u2212" : "+"}${Math.abs(number).toFixed(2)}`;
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
  find("read").classList.toggle("editing", open);
  find("editor").hidden = !open;
  find("text").hidden = open;
  find("edit").disabled = open;
  if (open) {
    find("source").value = reading.text;
    find("source").focus();
  }
}

function readSource() {
  if (find("source").value) {
    edit(false);
    readText(find("source").value);
    find("text").focus();
  }
}

// ---- moving in the text

function move(event) {
  const last = reading.done - 1;
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
  const top = (place) => cells[place].offsetTop;
  let place = at;
  while (cells[place] && top(place) === top(at)) {
    place += step;
  }
  if (!cells[place]) {
    return at;
  }
  const line = top(place);
  let best = place;
  for (; cells[place] && top(place) === line; place += step) {
    const distance = (other) => Math.abs(cells[other].offsetLeft - cells[at].offsetLeft);
    best = distance(place) <= distance(best) ? place : best;
  }
  return best;
}

function pin(place) {
  reading.pinned = place;
  showCard(place);
}

function startRead() {
  fillChoices();
  chooseColour("surprise");
  const paper = find("text");
  const placeOf = (event) => {
    const cell = event.target.closest(".cell");
    return cell ? cell.place : -1;
  };
  paper.addEventListener("mouseover", (event) => placeOf(event) >= 0 && showCard(placeOf(event)));
  paper.addEventListener("mouseleave", () => showCard(reading.pinned));
  paper.addEventListener("click", (event) => placeOf(event) >= 0 && pin(placeOf(event)));
  paper.addEventListener("keydown", move);
  find("colour").addEventListener("change", () => {
    chooseColour(find("colour").value === "unit" ? unitFromFields() : find("colour").value);
  });
  for (const id of ["layer", "part", "unit"]) {
    find(id).addEventListener("change", () => chooseColour(unitFromFields()));
  }
  find("guesses").addEventListener("change", () => {
    paper.classList.toggle("guessing", find("guesses").checked);
    find("legend-guesses").classList.toggle("shown", find("guesses").checked);
    for (let place = 0; place < reading.done; place++) {
      showGuesses(place);
    }
  });
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
  views.read = () => {
    if (reading.text === null) {
      readText(data.passage);
    }
    chooseColour(colour);
  };
}
