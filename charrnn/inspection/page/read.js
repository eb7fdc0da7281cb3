/* The view Read: the network reads a text piece by piece, and shows what it makes of each character. */
"use strict";

const MOST_CHARACTERS = 30000; // read of a text: what is known of each takes some 3 KB
const WARM = 100; // characters after which a state is no longer that of the beginning
const ROWS = 5; // guesses in the card
const textBefore = history.state?.text; // that was read before the page was loaded again

/* What is read: `seen` has what the worker answers for each character, `cells` their elements; `at` is the place that the
 * card shows; `bits` the sum of the surprises. */
const reading = { text: null, ids: [], seen: [], cells: [], at: 0, bits: 0 };

// ---- reading

/** Have the network read a text from its beginning. The text is shown at once, in cells when it was read. */
function readText(text) {
  const { ids, note } = encode(text.slice(0, MOST_CHARACTERS), places, data.nearest);
  const cut = text.length > MOST_CHARACTERS ? ` Only the first ${grouped(MOST_CHARACTERS)} characters are read.` : "";
  const pieces = piecesOf(textOf(ids));
  Object.assign(reading, { text, ids, seen: [], cells: [], at: Math.max(0, Math.min(WARM, ids.length - 1)), bits: 0 });
  strip.known = 0;
  showNote("read-note", note + cut);
  find("source").value = text;
  find("editor").open = false;
  find("card").hidden = !ids.length;
  find("text").replaceChildren(...pieces.map((piece) => make("div", "piece", visible(piece))));
  find("text").scrollTop = 0;
  showReadStatus();
  ask("read", { pieces: pieces.map((piece) => Array.from(piece, (char) => places.get(char))) }, addPiece);
}

/** Read the text that is there when the view is shown at first. */
function readAtFirst() {
  if (reading.text === null) {
    readText(textBefore || data.passage);
  }
}

function addPiece({ piece, seen }) {
  const { ids, cells, at } = reading;
  const from = cells.length;
  cells.push(...showCells(find("text").children[piece], textOf(ids.slice(from, from + seen.length))));
  for (const each of seen) {
    const guesses = each.guesses.map(({ id, share }) => `${glyph(chars[id])} ${Math.round(100 * share)}`);
    cells[reading.seen.length].dataset.guesses = guesses.join("\n");
    reading.bits += each.surprise || 0; // the first one has none
    reading.seen.push(each);
  }
  learnUsual();
  colourText(from);
  showReadStatus();
  showPlace(at);
}

function showReadStatus() {
  const { ids, seen, bits } = reading;
  const mean = ids.length > 1 ? `, ${(bits / (ids.length - 1)).toFixed(2)} bits of surprise on average` : "";
  find("read-status").textContent = !ids.length ? "0 characters: paste a text with characters that the network knows."
    : seen.length === ids.length ? `${counted(ids.length, "character")}${mean}.`
    : `Reading: ${grouped(seen.length)} of ${counted(ids.length, "character")}.`;
}

// ---- the card

/** Show a place everywhere, if it was read: in the text, the card, the strip and the picture of a step. */
function showPlace(place) {
  const { cells, at } = reading;
  if (cells[place]) {
    cells[at]?.classList.remove("framed");
    cells[place].classList.add("framed");
    reading.at = place;
    showCard();
    showStrip();
    showStep();
  }
}

/** Show in the card how surprising a character was, what may follow it, and which units stand out. */
function showCard() {
  const { ids, seen, at } = reading;
  const { surprise, guesses } = seen[at];
  const context = Array.from(textOf(ids.slice(Math.max(0, at - 12), at)), glyph).join("");
  find("card-title").replaceChildren(context, make("span", "framed", glyph(chars[ids[at]])));
  find("card-surprise").textContent = Number.isNaN(surprise)
    ? "The first character has no surprise."
    : `Surprise: ${surprise.toFixed(1)} bits (probability ${percent(2 ** -surprise)})`;
  showBars("card-guesses", guesses, ids[at + 1]);
  const names = at >= Math.min(WARM, ids.length - 1) ? standingOut(at, ROWS) : [];
  const chips = names.map((name) => unitChip(name, tracked(name)?.name || "", swatchOf(name)));
  find("card-units").replaceChildren(...chips.map((chip) => make("li", "", chip)));
  find("card-cold").hidden = names.length > 0;
}

// ---- moving in the text

/** Go to a place of the text, and say which character it is. */
function moveTo(place) {
  showPlace(place);
  if (document.activeElement === find("text")) { // or the page would move away from the strip or the picture of a step
    reading.cells[reading.at].scrollIntoView({ block: "nearest" });
  }
  find("spoken").textContent = `${nameOf(chars[reading.ids[reading.at]])}. ${find("card-surprise").textContent}`;
}

/** Have the arrow keys move in the text, up and down about a line. */
function moveInText(element) {
  moveByKeys(element, { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -50, ArrowDown: 50 }, () => reading.at,
    () => reading.seen.length - 1, moveTo);
}

function startRead() {
  startColours();
  startStrip();
  startStep();
  startHolding();
  startBars("card-guesses", ROWS, "span");
  moveInText(find("text"));
  find("text").addEventListener("click", ({ target }) => {
    if (target.matches(".cell")) {
      moveTo(reading.cells.indexOf(target));
    }
  });
  find("read-it").addEventListener("click", () => {
    readText(find("source").value);
    find("text").focus();
  });
}
