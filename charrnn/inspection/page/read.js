/* The view Read: the network reads a text piece by piece, and shows what it makes of each character.
 *
 * A long text has one piece at a time in work and only the pieces near the window in cells; the others are plain text.
 */
"use strict";

const MOST_CHARACTERS = 200000;
const PIECE = 250; // characters
const KEPT = 48; // pieces whose values stay in memory
const WARM = 100; // characters after which a state is no longer that of the beginning
const ROWS = 5; // guesses in the card

/* What is read of a text. `seen` has what the worker answers for each character, undefined where that was dropped;
 * `cells` the elements of the characters near the window; `at` the place that the card shows, `pinned` the one to go
 * back to; `bits` the sum of the surprises; `learned` how much was read when it was last learned what is usual. */
const reading = { job: 0, text: null, ids: [], seen: [], cells: [], pieces: [], at: 0, pinned: 0, bits: 0,
  learned: 0 };
const shown = chars.map(visible);
let observer = null;
let frame = 0;

// ---- reading

/** Have the network read a text from its beginning. */
function readText(text) {
  const { ids, note } = encode(text.slice(0, MOST_CHARACTERS), places, data.nearest);
  const cut = text.length > MOST_CHARACTERS ? ` Only the first ${grouped(MOST_CHARACTERS)} characters are read.` : "";
  showNote("read-note", note + cut);
  jobs.delete(reading.job); // what another reading still sends is not wanted
  const first = Math.max(0, Math.min(WARM, ids.length - 1));
  Object.assign(reading, { job: 0, text, ids, seen: [], cells: [], at: first, pinned: first, bits: 0, learned: 0 });
  showPieces();
  find("text").scrollTop = 0;
  edit(false);
  usual = null;
  chooseColour(colour);
  readNext();
}

/** Read the piece that is most wanted: one in sight whose values are missing, or the next one. */
function readNext() {
  const { pieces, seen } = reading;
  const piece = pieces.find((each) => each.near && !each.known && each.from <= seen.length)
    || pieces.find((each) => each.from === seen.length);
  reading.job = 0;
  if (!piece) {
    showReadStatus();
    return;
  }
  const ids = reading.ids.slice(piece.from, piece.to);
  let place = piece.from;
  reading.job = ask("read", { ids, piece: pieces.indexOf(piece) }, {
    read: ({ seen: found }) => {
      addSeen(place, found);
      place += found.length;
    },
    done: () => {
      piece.known = true;
      dropFar();
      if (reading.seen.length >= 2 * reading.learned) {
        reading.learned = reading.seen.length;
        learnUsual();
      }
      showPlace(reading.at);
      readNext();
    },
  });
}

function addSeen(from, found) {
  for (const [index, each] of found.entries()) {
    reading.bits += (from + index === reading.seen.length && each.surprise) || 0;
    reading.seen[from + index] = each;
  }
  showReadStatus();
  colourText(measureRange() ? 0 : from);
  showGuesses(from, from + found.length);
  if (reading.at >= from && reading.at < from + found.length) {
    showPlace(reading.at);
  }
}

function showReadStatus() {
  const { ids, seen, bits } = reading;
  const done = seen.length === ids.length;
  const mean = ids.length > 1 ? `, ${(bits / (ids.length - 1)).toFixed(2)} bits of surprise on average` : "";
  find("read-status").textContent = !ids.length ? "0 characters: paste a text with characters that the network knows."
    : done ? `${counted(ids.length, "character")}${mean}.`
    : `Reading: ${grouped(seen.length)} of ${counted(ids.length, "character")}.`;
  Object.assign(find("read-progress"), { hidden: done, max: ids.length, value: seen.length });
}

/** Drop the values of the pieces that are not in sight, but for some. */
function dropFar() {
  const known = reading.pieces.filter((each) => each.known);
  for (const piece of known.filter((each) => !each.near).slice(0, Math.max(0, known.length - KEPT))) {
    piece.known = false;
    reading.seen.fill(undefined, piece.from, piece.to);
  }
}

// ---- the pieces

function showPieces() {
  reading.pieces = piecesOf(reading.ids.map((id) => chars[id]), PIECE).map((piece) => (
    { ...piece, known: false, near: false, drawn: false, element: make("div", "piece") }));
  observer?.disconnect();
  observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const piece = reading.pieces.find(({ element }) => element === target);
      if (piece) {
        piece.near = isIntersecting;
      }
    }
    drawSoon();
    if (!reading.job) {
      readNext();
    }
  }, { root: find("text"), rootMargin: "50%" });
  for (const piece of reading.pieces) {
    showPlain(piece);
    observer.observe(piece.element);
  }
  find("text").replaceChildren(...reading.pieces.map(({ element }) => element));
  reading.pieces.slice(0, 1).forEach(drawPiece);
}

function drawSoon() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(drawNext);
}

/** Draw a piece that came near the window, or show one that is no longer near as plain text: one in each frame. */
function drawNext() {
  const piece = reading.pieces.find(({ near, drawn }) => near !== drawn);
  if (piece) {
    (piece.near ? drawPiece : showPlain)(piece);
    drawSoon();
  }
}

function showPlain(piece) {
  piece.drawn = false;
  piece.element.textContent = reading.ids.slice(piece.from, piece.to).map((id) => shown[id]).join("");
  reading.cells.fill(undefined, piece.from, piece.to);
}

/** Show a piece in cells with their colours. */
function drawPiece(piece) {
  piece.drawn = true;
  const characters = reading.ids.slice(piece.from, piece.to).map((id) => chars[id]);
  for (const [index, cell] of showCells(piece.element, characters).entries()) {
    reading.cells[piece.from + index] = cell;
  }
  colourText(piece.from, piece.to);
  showGuesses(piece.from, piece.to);
  reading.cells[reading.at]?.firstChild.classList.add("framed");
}

/** Return the piece that has a place of the text. */
function pieceAt(place) {
  return reading.pieces.find(({ to }) => place < to);
}

/** Put the likeliest next characters under each character in a cell, or nothing where they are not asked for. */
function showGuesses(from, to) {
  for (let place = from; place < to; place++) {
    const guesses = (find("guesses").checked && reading.seen[place]?.guesses) || [];
    reading.cells[place]?.replaceChildren(reading.cells[place].firstChild, ...guesses.map(({ id, share }) => {
      const guess = make("small", id === reading.ids[place + 1] ? "framed" : "", glyph(chars[id]));
      guess.dataset.share = Math.min(99, Math.round(100 * share)) || "";
      tint(guess, "share", share);
      return guess;
    }));
  }
}

// ---- the card

/** Show a place everywhere: in the text, the card, the strip and the picture of a step. */
function showPlace(place) {
  reading.cells[reading.at]?.firstChild.classList.remove("framed");
  reading.cells[place]?.firstChild.classList.add("framed");
  reading.at = place;
  if (reading.seen[place]) {
    showCard(place);
    showStrip();
    showStep();
  }
}

/** Show in the card how surprising a character was, what may follow it, and which units stand out. */
function showCard(place) {
  const { surprise, guesses } = reading.seen[place];
  const context = reading.ids.slice(Math.max(0, place - 12), place).map((id) => glyph(chars[id])).join("");
  find("card-title").replaceChildren(context, make("span", "framed", glyph(chars[reading.ids[place]])));
  find("card-surprise").textContent = Number.isNaN(surprise)
    ? "The first character has no surprise."
    : `Surprise: ${surprise.toFixed(1)} bits (probability ${percent(2 ** -surprise)})`;
  showBars(find("card-guesses"), guesses.map((guess) => (
    { ...guess, marked: guess.id === reading.ids[place + 1] })), ROWS);
  const names = usual && place >= Math.min(WARM, reading.ids.length - 1) ? standingOut(place, ROWS) : [];
  find("card-units").replaceChildren(...names.map((name) => make("li", "", unitChip(name, place))));
  showNote("card-cold", names.length ? "" : "Shown when the network has read a little: its memory begins empty.");
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
  const last = reading.ids.length - 1;
  const line = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const targets = { ArrowLeft: reading.at - 1, ArrowRight: reading.at + 1, Home: 0, End: last };
  if (!reading.seen.length || !(line || event.key in targets)) {
    return;
  }
  event.preventDefault();
  moveTo(line ? placeInLine(line) : targets[event.key]);
}

/** Go to a place of the text, as far as it was read, and say which character it is. */
function moveTo(place) {
  pin(Math.min(Math.max(place, 0), reading.seen.length - 1));
  const piece = pieceAt(reading.at);
  piece.near = true; // as it will be in a moment
  if (!piece.drawn) {
    drawPiece(piece);
  }
  reading.cells[reading.at].scrollIntoView({ block: "nearest" });
  find("spoken").textContent = `${nameOf(chars[reading.ids[reading.at]])}. ${find("card-surprise").textContent}`;
}

/** Return the place in the line above (-1) or below (1) that is nearest to the one that is shown. */
function placeInLine(step) {
  const { cells, at } = reading;
  let nearest = at;
  let least = Infinity;
  cells.forEach((cell, place) => {
    const down = cell && cells[at] ? step * (cell.offsetTop - cells[at].offsetTop) : 0;
    const distance = down > 0 ? 1e4 * down + Math.abs(cell.offsetLeft - cells[at].offsetLeft) : Infinity;
    if (distance < least) {
      [nearest, least] = [place, distance];
    }
  });
  return nearest;
}

function pin(place) {
  reading.pinned = place;
  showPlace(place);
}

function startRead() {
  startUnitChoice();
  startEditing();
  startStrip();
  startStep();
  startHolding();
  const paper = find("text");
  const pointed = (action) => (event) => {
    const cell = event.target.closest(".cell");
    if (cell) {
      action(reading.cells.indexOf(cell));
    }
  };
  paper.addEventListener("mouseover", pointed(showPlace));
  paper.addEventListener("mouseleave", () => showPlace(reading.pinned));
  paper.addEventListener("click", pointed(pin));
  paper.addEventListener("keydown", move);
  find("guesses").addEventListener("change", () => {
    paper.classList.toggle("guessing", find("guesses").checked);
    find("legend-guesses").hidden = !find("guesses").checked;
    reading.pieces.filter(({ drawn }) => drawn).forEach(showPlain); // and in the next frames as before
    drawSoon();
  });
}
