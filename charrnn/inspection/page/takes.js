/* What was written: it appears character by character, each coloured. A click on one shows what else it could have been, and
 * a click on that goes on from there.
 *
 * A take is a beginning and what the network wrote after it: {ids, start, seen, chosen, logits, link}. `start` is the length
 * of the beginning; seen[k] is what the worker says of the character ids[start + k]; `chosen` are the places where a person
 * chose the character; `logits` are those of the character that follows. To go on from another character makes a new take.
 * All takes are kept, and two buttons lead from one to the next.
 */
"use strict";

const MOST_COLOURED = 10000; // characters of a take; those after them are plain
const MOST_TAKES = 20;
const FOLLOWED = 40; // pixels from the end within which the view follows the text

const takes = [];
/* `take` is the one that is shown, up to `shown`; `at` is the place that was clicked, or -1. `subject` is the take that the
 * bars belong to: the one that is shown, or one that is not written yet. `job` is the writing under way, or 0. */
const written = {
  take: null, shown: 0, cells: new Map(), at: -1, subject: null, frame: 0, job: 0, expecting: 0, link: "",
  get text() {
    return textOf(this.take ? this.take.ids : []);
  },
};

function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

function newTake(ids, start = ids.length, seen = [], chosen = []) {
  return { ids, start, seen, chosen: new Set(chosen), logits: null, link: "" };
}

/** Keep a take as the newest, and show it. */
function addTake(take) {
  takes.push(take);
  while (takes.length > MOST_TAKES || takes.reduce((sum, { seen }) => sum + seen.length, 0) > 3 * MOST_COLOURED) {
    worker.postMessage({ type: "forget", take: takes.shift().number });
  }
  showTake(take);
}

// ---- the text

function showTake(take) {
  find("written").replaceChildren();
  Object.assign(written, { take, shown: 0, cells: new Map(), at: -1, subject: take, link: take.link });
  showNew();
  find("written").scrollTop = take.chosen.size ? find("written").scrollHeight : 0;
  showButtons();
  showAlternatives();
}

/** Show what is new in the take, in the next frame: the document changes once a frame. */
function showSoon() {
  written.frame = written.frame || requestAnimationFrame(showNew);
}

/** Show the characters that are not shown yet. Each line is a block, so that only the last one is laid out again. */
function showNew() {
  const { take, cells } = written;
  const paper = find("written");
  const atEnd = paper.scrollHeight - paper.scrollTop - paper.clientHeight < FOLLOWED;
  cancelAnimationFrame(written.frame);
  written.frame = 0;
  if (!written.shown) {
    const lines = textOf(take.ids.slice(0, take.start)).split(/(?<=\n)/);
    paper.append(...lines.map((line) => make("div", "", make("span", "prime", visible(line)))));
    written.shown = take.start;
  }
  for (; written.shown < take.ids.length; written.shown++) {
    const place = written.shown;
    if (chars[take.ids[place - 1]] === "\n") {
      paper.append(make("div"));
    }
    const record = take.seen[place - take.start];
    const shown = visible(chars[take.ids[place]]);
    const line = paper.lastChild;
    if (record) {
      const cell = make("span", take.chosen.has(place) ? "chosen" : "", shown);
      cells.set(place, cell);
      colourWritten(cell, record);
      line.append(cell);
    } else if (line.lastChild?.nodeType === Node.TEXT_NODE) {
      line.lastChild.appendData(shown);
    } else {
      line.append(shown);
    }
  }
  if (atEnd) {
    paper.scrollTop = paper.scrollHeight;
  }
  if (written.at < 0) {
    showAlternatives();
  }
}

/** Colour a character by its surprise, by a unit, or not. */
function colourWritten(cell, { surprise, activations }) {
  const name = find("written-colour").value;
  if (name === "surprise") {
    tint(cell, "bits", surprise / MOST_BITS);
  } else if (name && activations) {
    tintByUnit(cell, activations[unitOffset(name)] / 127);
  } else {
    cell.style.background = "";
  }
}

function recolour() {
  for (const [place, cell] of written.cells) {
    colourWritten(cell, written.take.seen[place - written.take.start]);
  }
  const name = find("written-colour").value;
  find("written-bits").hidden = name !== "surprise";
  find("written-values").hidden = !name || name === "surprise";
}

// ---- what else a character could have been

function showAlternatives() {
  const { subject, at } = written;
  const record = subject && at >= 0 ? subject.seen[at - subject.start] : null;
  let rows = [];
  if (record) {
    rows = record.guesses.some(({ id }) => id === record.id) ? record.guesses
      : [...record.guesses.slice(0, -1), { id: record.id, share: 1, outline: 2 ** -record.surprise }];
  } else if (subject?.logits) {
    const own = normalized(powersOf(subject.logits));
    const kept = normalized(keptPowers(subject.logits, settings()));
    rows = largestIds(own, EXPECTED).map((id) => ({ id, share: kept[id], outline: own[id] }));
  }
  find("expected-title").textContent = record ? "What else it could have been" : "What it expects next";
  find("expected-lead").textContent = record
    ? `Here it wrote ${nameOf(chars[record.id])}: ${record.surprise.toFixed(1)} bits of surprise (probability ${
      percent(2 ** -record.surprise)}). Choose another to go on from there.`
    : rows.length ? "Choose one to go on with it."
      : subject?.ids.length ? "The network is reading the beginning." : "The beginning is empty: there is nothing to expect.";
  for (const [index, { firstChild: button }] of [...find("expected").children].entries()) {
    const row = rows[index];
    button.disabled = !row; // what it shows is out of date
    button.hidden = index >= chars.length;
    button.onclick = () => goOn(row);
    if (row) {
      fillBar(button, { ...row, marked: record?.id === row.id });
    }
  }
}

/** Go on from another character, at the place that was clicked or at the end: as a new take, with the same seed. */
function goOn({ id, outline }) {
  const { subject, at } = written;
  const place = at < 0 ? subject.ids.length : at;
  const seen = subject.seen.slice(0, place - subject.start);
  if (seen.length === place - subject.start) {
    const guesses = subject.seen[seen.length]?.guesses || [{ id, share: 1, outline }];
    seen.push({ id, surprise: -Math.log2(outline), guesses, activations: null });
  }
  const chosen = [...subject.chosen].filter((each) => each < place);
  writeTake(newTake([...subject.ids.slice(0, place), id], subject.start, seen, [...chosen, place]));
}

/** Choose a character of the text, or none (-1). */
function chooseAt(place) {
  const { cells, at, take } = written;
  cells.get(at)?.classList.remove("framed");
  written.at = cells.has(place) ? place : -1;
  written.subject = take || written.subject;
  cells.get(place)?.classList.add("framed");
  cells.get(place)?.scrollIntoView({ block: "nearest" });
  showAlternatives();
}

/** Move the choice in the text by the arrow keys; Enter goes to what else the character could have been. */
function moveChoice(event) {
  const places = [...written.cells.keys()];
  const last = places.length - 1;
  const from = written.at < 0 ? last + 1 : places.indexOf(written.at);
  const target = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
  if (event.key === "Enter") {
    event.preventDefault(); // or the button would be pressed as well
    find("expected").querySelector("button").focus();
  } else if (target !== undefined && last >= 0) {
    event.preventDefault();
    chooseAt(places[Math.min(Math.max(target, 0), last)]);
    find("written-spoken").textContent = find("expected-lead").textContent;
  }
}
