/* What it writes when it has learned: several texts, in which own words are marked, and what is copied. */
import { isNew, state } from "../shared/change.js";
import { counted, percent } from "../shared/numbers.js";
import { textOf } from "../shared/shown.js";
import { signOf, visible } from "../shared/text.js";
import { ask, byId, make, onClick, showNote, showText } from "../shared/view.js";
import { endWithWord, newText, writeText } from "../shared/writing.js";
import { readerOf } from "../shared/judge.js";
import { data, frequentWords, primeOf } from "./course.js";
import { trainingPart } from "./material.js";
import { marked } from "./whose.js";

const TEXTS = 3;
const LENGTH = 420; // characters
let reader = null; // of the text that was learned
let seed = 1;
let written = []; // {text, box}
let round = 0; // of writing
let isWriting = false;

/** Have the network write once it has learned. */
export function drawWriting() {
  const { stage, model, learnedText, about } = state;
  const isThere = model !== null && (stage === "learned" || stage === "resting");
  byId("writing").hidden = !isThere;
  byId("keep").hidden = !isThere;
  if (isNew("model", model, isThere) && isThere) {
    const training = trainingPart(learnedText, about.hyperparameters.val_fraction);
    reader = readerOf(training, frequentWords);
    writeAll();
  }
}

/** Write the texts, one after the other, each with the next seed. */
function writeAll() {
  ask("stop", { of: "write" });
  round++;
  const ownBeginning = byId("prime").value;
  const unknown = [...new Set(ownBeginning)].filter((char) => !state.chars.includes(char));
  const left = unknown.map(signOf).join(" ");
  showNote("prime-note", unknown.length > 0 ? `Your text has no ${left}: left out.` : "");
  showText("shares", "");

  const boxes = Array.from({ length: TEXTS }, () => make("article"));
  byId("written").replaceChildren(...boxes);
  written = [];
  writeNext(boxes, round);
}

function writeNext(boxes, ofRound) {
  const place = written.length;
  isWriting = place < boxes.length;
  if (!isWriting) {
    return;
  }
  const { beginnings } = state;
  const own = primeOf(byId("prime").value);
  const prime = own.length > 0 ? own : primeOf(beginnings[place % beginnings.length]);
  const settings = data.writing;
  const text = newText("write", prime, { seed: seed + place, length: LENGTH, settings });
  const box = boxes[place];
  written.push({ text, box });
  writeText(text, {}, (last) => {
    if (ofRound !== round) {
      return;
    }
    if (last) {
      endWithWord(text);
      showMarked(box, seenOf(text));
      showShares();
      writeNext(boxes, ofRound);
    } else {
      box.textContent = visible(seenOf(text));
    }
  });
}

/** Return a text as its box shows it: without the end of a line that it may begin with. */
function seenOf(text) {
  return textOf(text.ids).replace(/^\n+/, "");
}

function showMarked(box, text) {
  const { parts } = marked(text, reader);
  const pieces = parts.map(({ text: part, isOwn, isCopied }) => {
    const names = [isOwn ? "own" : "", isCopied ? "copied" : ""].filter((name) => name !== "");
    const seen = visible(part);
    return names.length > 0 ? make("span", names.join(" "), seen) : seen;
  });
  box.replaceChildren(...pieces);
}

/** Say how many words are own ones, and how much is copied, unless the page was saved without the text. */
function showShares() {
  if (state.learnedText === "") {
    return;
  }
  const all = written.map(({ text }) => marked(textOf(text.ids), reader));
  const sumOf = (name) => all.reduce((sum, counts) => sum + counts[name], 0);
  const words = Math.max(1, sumOf("words"));
  const own = percent(sumOf("ownWords") / words);
  const copied = percent(sumOf("copiedRuns") / Math.max(1, sumOf("runs")));
  showText(
    "shares",
    `Own words, marked: ${counted(sumOf("ownWords"), "word")}, ${own} of all. Copied from your text, underlined: ${copied}.`,
  );
}

function again() {
  seed += TEXTS;
  writeAll();
}

export function startWriting() {
  onClick("write", again);
  byId("prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      again();
    }
  });
}
