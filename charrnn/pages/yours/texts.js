/* What it writes when it has learned: several texts, in which own words are marked, and what is copied. */
import { isNew, state } from "../shared/change.js";
import { counted, percent } from "../shared/numbers.js";
import { textOf } from "../shared/shown.js";
import { signOf, visible } from "../shared/text.js";
import { ask, byId, make, onClick, showNote, showText } from "../shared/view.js";
import { endWithWord, newText, writeText } from "../shared/writing.js";
import { data, frequentWords, primeOf, settingsOf } from "./course.js";
import { marked } from "./whose.js";

const TEXTS = 3;
const LENGTH = 420; // characters
const ofLanguage = new Set(frequentWords.map((word) => word.toLowerCase()));
let seed = 1;
let written = []; // {text, box}
let round = 0; // of writing
let isWriting = false;

/** Have the network write once it has learned. */
export function drawWriting() {
  const { stage, model } = state;
  const isThere = model !== null && (stage === "learned" || stage === "resting");
  byId("writing").hidden = !isThere;
  byId("keep").hidden = !isThere;
  if (isNew("model", model, isThere) && isThere) {
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
  showContrast();

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
  const settings = settingsOf(Number(byId("contrast").value));
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

/** Return what `marked` tells of a text here. */
function markedHere(text) {
  return marked(text, state.hashes, ofLanguage);
}

function showMarked(box, text) {
  const { parts } = markedHere(text);
  const pieces = parts.map(({ text: part, isOwn, isCopied }) => {
    const names = [isOwn ? "own" : "", isCopied ? "copied" : ""].filter((name) => name !== "");
    const seen = visible(part);
    return names.length > 0 ? make("span", names.join(" "), seen) : seen;
  });
  box.replaceChildren(...pieces);
}

function showShares() {
  const all = written.map(({ text }) => markedHere(textOf(text.ids)));
  const sumOf = (name) => all.reduce((sum, counts) => sum + counts[name], 0);
  const words = Math.max(1, sumOf("words"));
  const own = percent(sumOf("ownWords") / words);
  const copied = percent(sumOf("copiedRuns") / Math.max(1, sumOf("runs")));
  showText(
    "shares",
    `Own words, marked: ${counted(sumOf("ownWords"), "word")}, ${own} of all. Copied from your text, underlined: ${copied}.`,
  );
}

function showContrast() {
  const contrast = Number(byId("contrast").value);
  let said = "As the network has learned to write.";
  if (contrast > 0) {
    said = "Words of yours are more probable, the more to the right.";
  } else if (contrast < 0) {
    said =
      contrast === -1 ? "As the network wrote before." : "On the way back to what it wrote before.";
  }
  showText("contrast-said", said);
}

function again() {
  seed += TEXTS;
  writeAll();
}

export function startWriting() {
  byId("contrast").value = data.writing.contrast ?? 0;
  showText("whose-start", data.language ? "the novels" : data.read);
  byId("contrast").addEventListener("input", showContrast);
  byId("contrast").addEventListener("change", writeAll);
  onClick("write", again);
  byId("prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      again();
    }
  });
}
