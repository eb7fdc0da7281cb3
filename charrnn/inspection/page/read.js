/* The view Read: the network reads a text piece by piece, and shows what it makes of each character. */
"use strict";

const MOST_CHARACTERS = 100000; // read of a text: what is known of each takes some 2 KB
const WARM = 100; // characters after which a state is no longer that of the beginning
const ROWS = Math.min(5, chars.length); // guesses in the card
const textBefore = history.state?.text; // that was read before the page was loaded again
const isAllNear = !("ContentVisibilityAutoStateChangeEvent" in window); // old browsers do not say what is in sight

/* What is read: `known` is how many characters were, and see seenAt for what is known of them; `at` is the place that the
 * card shows. The characters of a piece, {from, ids, element, isNear}, have `cells` while it is near what is in sight. */
const reading = { text: null, ids: [], pieces: [], cells: [], known: 0, at: 0 };

// ---- reading

/** Have the network read a text from its beginning. The text is shown at once, in cells when it was read. */
function readText(text) {
  const { ids, note } = encode(text.slice(0, MOST_CHARACTERS), places, data.nearest);
  const cut = text.length > MOST_CHARACTERS ? ` Only the first ${grouped(MOST_CHARACTERS)} characters are read.` : "";
  let to = 0;
  const pieces = piecesOf(textOf(ids)).map((piece) => {
    const from = to;
    to += Array.from(piece).length;
    const element = make("div", "piece", visible(piece));
    return { from, ids: ids.slice(from, to), element, isNear: isAllNear };
  });
  Object.assign(reading, { text, ids, pieces, known: 0, at: Math.max(0, Math.min(WARM, ids.length - 1)),
    cells: ids.map(() => null), surprises: new Float32Array(ids.length), guesses: new Float32Array(2 * ROWS * ids.length),
    activations: new Int8Array(unitNames.length * ids.length) });
  strip.to = 0;
  showNote("read-note", note + cut);
  find("source").value = text;
  find("editor").open = false;
  find("card").hidden = !ids.length;
  find("text").replaceChildren(...pieces.map(({ element }) => element));
  find("text").scrollTop = 0;
  showReadStatus();
  ask("read", { pieces: pieces.map((piece) => piece.ids) }, addPiece);
}

/** Return what is known of a character that was read. It is kept in long arrays, which take less than many objects. */
function seenAt(place) {
  const { surprises, guesses, activations } = reading;
  const shown = guesses.subarray(2 * ROWS * place, 2 * ROWS * (place + 1)); // an id, its share, an id, its share ...
  return { surprise: surprises[place],
    guesses: Array.from({ length: ROWS }, (_, row) => ({ id: shown[2 * row], share: shown[2 * row + 1] })),
    activations: activations.subarray(unitNames.length * place, unitNames.length * (place + 1)) };
}

function addPiece({ surprises, guesses, activations }) {
  const { known, at } = reading;
  reading.surprises.set(surprises, known);
  reading.guesses.set(guesses, 2 * ROWS * known);
  reading.activations.set(activations, unitNames.length * known);
  activations.buffer.transfer?.(0); // so that half a megabyte is free now, not when the browser cleans up
  reading.known += surprises.length;
  learnUsual();
  colourText(false);
  showPiece(reading.pieces.find(({ from }) => from === known));
  showReadStatus();
  (at < known ? showCard : showPlace)(at); // what is usual has changed
  drawStrip(known < strip.to && reading.known >= strip.to ? strip.from : strip.drawn);
}

/** Show a piece in coloured cells if it was read and is near what is in sight, or else as mere text. */
function showPiece(piece, isNear = piece.isNear) {
  const { from, ids, element } = piece;
  const cells = isNear && from < reading.known ? showCells(element, textOf(ids)) : [];
  piece.isNear = isNear;
  if (!cells.length) {
    element.textContent = visible(textOf(ids));
  }
  reading.cells.splice(from, ids.length, ...ids.map((_, index) => cells[index]));
  cells.forEach((cell, index) => {
    const seen = seenAt(from + index);
    cell.dataset.guesses = seen.guesses.map(({ id, share }) => `${glyph(chars[id])} ${Math.round(100 * share)}`).join("\n");
    cell.classList.toggle("framed", from + index === reading.at);
    colourCell(cell, seen, colour, range);
  });
}

function showReadStatus() {
  const { ids, known, surprises } = reading;
  const bits = surprises.subarray(1).reduce((sum, each) => sum + each, 0) / (ids.length - 1);
  const mean = ids.length > 1 ? `, ${bits.toFixed(2)} bits of surprise on average` : "";
  find("read-status").textContent = !ids.length ? "0 characters: paste a text with characters that the network knows."
    : known === ids.length ? `${counted(known, "character")}${mean}.`
    : `Reading: ${grouped(known)} of ${counted(ids.length, "character")}.`;
}

// ---- the card

/** Show a place everywhere, if it was read: in the text, the card, the strip and the picture of a step. */
function showPlace(place) {
  if (place >= 0 && place < reading.known) {
    reading.cells[reading.at]?.classList.remove("framed");
    reading.cells[place]?.classList.add("framed");
    reading.at = place;
    showCard();
    showStrip();
    showStep();
  }
}

/** Show in the card how surprising a character was, what may follow it, and which units stand out. */
function showCard() {
  const { ids, at } = reading;
  const { surprise, guesses } = seenAt(at);
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
    if (!reading.cells[reading.at]) {
      showPiece(reading.pieces.findLast(({ from }) => from <= reading.at), true);
    }
    reading.cells[reading.at].scrollIntoView({ block: "nearest" });
  }
  find("spoken").textContent = `${nameOf(chars[reading.ids[reading.at]])}. ${find("card-surprise").textContent}`;
}

/** Have the arrow keys move in the text, up and down about a line. */
function moveInText(element) {
  moveByKeys(element, { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -50, ArrowDown: 50 }, () => reading.at,
    () => reading.known - 1, moveTo);
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
  find("text").addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
    const piece = reading.pieces.find(({ element }) => element === target);
    if (piece.isNear === skipped) {
      showPiece(piece, !skipped);
    }
  }, true);
  find("read-it").addEventListener("click", () => {
    readText(find("source").value);
    find("text").focus();
  });
}
