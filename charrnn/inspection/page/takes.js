/* What was written: it appears character by character, each coloured. A click on one shows what else it could have been,
 * and a click on that goes on from there.
 * A take is a beginning and what the network wrote after it: {beginning, ids, start, seen, logits, seed, link}. `start`
 * is the length of the beginning that was typed; seen[k] is what the worker says of the character ids[start + k];
 * `logits` are those of the character that follows. To go on from another character makes a new take, whose `beginning`
 * ends with that character. All takes are kept, and two buttons lead from one to the next. */
"use strict";

const MOST_KEPT = 30000; // characters of all takes
const FOLLOWED = 40; // pixels from the end within which the view follows the text

const takes = [];
/* `take` is the one that is shown, with `cells` for what was written of it; `at` is which of them was clicked, or -1.
 * `subject` is the take that the bars belong to: the one that is shown, or one that is not written yet. */
const written = { take: null, cells: [], at: -1, subject: null, rows: [], frame: 0, running: false };

function newTake(beginning, start = beginning.length, seen = []) {
  const ids = beginning.slice(0, start + seen.length);
  return { beginning, ids, start, seen, logits: null, seed: DEFAULTS.seed, link: "" };
}

/** Keep a take as the newest, and show it. */
function addTake(take) {
  takes.push(take);
  while (takes.length > 1 && takes.reduce((sum, { seen }) => sum + seen.length, 0) > MOST_KEPT) {
    takes.shift();
  }
  showTake(take);
}

// ---- the text

function showTake(take) {
  const lines = textOf(take.ids.slice(0, take.start)).split(/(?<=\n)/);
  find("written").replaceChildren(...lines.map((line) => make("div", "", make("span", "prime", visible(line)))));
  Object.assign(written, { take, cells: [], at: -1, subject: take });
  showNew();
  find("written").scrollTop = find("written").scrollHeight;
  showButtons();
}

/** Show the characters that are not shown yet. Each line is a block, so that only the last one is laid out again. */
function showNew() {
  const { take, cells } = written;
  const paper = find("written");
  const atEnd = paper.scrollHeight - paper.scrollTop - paper.clientHeight < FOLLOWED;
  for (const record of take.seen.slice(cells.length)) {
    if (chars[take.ids[take.start + cells.length - 1]] === "\n") {
      paper.append(make("div"));
    }
    const cell = make("span", record.isChosen ? "cell chosen" : "cell", visible(chars[record.id]));
    colourCell(cell, record, find("written-colour").value);
    paper.lastChild.append(cell);
    cells.push(cell);
  }
  if (atEnd) {
    paper.scrollTop = paper.scrollHeight;
  }
  showAlternatives();
}

/** Add what the worker has written. The document changes once a frame. */
function addWritten(take, seen, logits) {
  take.ids.push(...seen.map(({ id }) => id));
  take.seen.push(...seen);
  take.logits = logits;
  if (take === written.take) {
    cancelAnimationFrame(written.frame);
    written.frame = requestAnimationFrame(showNew);
  } else {
    showAlternatives();
  }
}

/** Colour all by its surprise or by a unit, as is chosen. */
function recolour() {
  const name = find("written-colour").value;
  find("view-write").dataset.colour = name === "surprise" ? name : "unit";
  for (const [index, cell] of written.cells.entries()) {
    colourCell(cell, written.take.seen[index], name);
  }
}

// ---- what else a character could have been

function showAlternatives() {
  const { subject, at } = written;
  const record = subject?.seen[at];
  let rows = record?.guesses || [];
  if (!record && subject?.logits) {
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
  written.rows = rows;
  showBars("expected", rows, record?.id);
}

/** Go on from another character, at the place that was clicked or at the end: as a new take, with the same seed. */
function goOn(id) {
  const { subject, at } = written;
  const seen = at < 0 ? subject.seen : subject.seen.slice(0, at);
  writeTake(newTake([...subject.ids.slice(0, subject.start + seen.length), id], subject.start, [...seen]));
}

/** Choose a character that was written, or none (-1). */
function chooseAt(index) {
  const { cells, at, take, subject } = written;
  cells[at]?.classList.remove("framed");
  cells[index]?.classList.add("framed");
  cells[index]?.scrollIntoView({ block: "nearest" });
  Object.assign(written, { at: index, subject: take || subject });
  showAlternatives();
}

function startTakes() {
  const paper = find("written");
  const last = () => written.cells.length - 1;
  const at = () => (written.at < 0 ? last() + 1 : written.at);
  startBars("expected", EXPECTED, "button");
  for (const [index, { firstChild: button }] of [...find("expected").children].entries()) {
    button.addEventListener("click", () => goOn(written.rows[index].id));
  }
  paper.addEventListener("click", ({ target }) => chooseAt(written.cells.indexOf(target)));
  moveByKeys(paper, { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -50, ArrowDown: 50 }, at, last, (index) => {
    chooseAt(index);
    find("written-spoken").textContent = find("expected-lead").textContent;
  });
}
