/* One beginning and one seed, and what is watched held from the first letter on. At first there are two texts, in which it
 * is held at its two ends; those of the opening stand in the document. The handle brings one text in their place, which is
 * written anew wherever the handle goes. What tells the two ends apart, words or a sign, was counted when the page was made:
 * it is marked and counted here, too. Where nothing does, a passage that the network reads has the place of the two. */
import { counted, percent } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { chars, textOf, valueAt, watched } from "../shared/shown.js";
import { byId, make, tint } from "../shared/view.js";
import { wordsOf } from "../shared/words.js";
import { endWithWord, onPaper, writeText } from "../shared/writing.js";
import { speedChosen } from "./fields.js";
import { MOST_WRITTEN } from "./link.js";
import { data } from "./model.js";
import { AT_ONCE, isOpening, ON, written } from "./takes.js";

const LENGTH = data.opening.shown; // characters, so that the texts and the handle are in sight together
const AT_FIRST = 120; // of the two texts are written without a pause
const TINT = 0.14; // of a text that is held, as model.css has it for the two texts

/** How many texts were written with the number held, what the two were written with, and the two sides. */
export const pair = { texts: 0, shown: [], sides: [sideOf("low"), sideOf("high")] };

/** The one text: `shown` is what it was written with, `ids` are what is shown; `before` what was shown when the handle,
 * which may be `moving`, began to move. */
export const one = { ...sideOf("one"), shown: [], text: null, ids: [], before: [], moving: false };

function sideOf(of) {
  return { of, paper: new Paper(of, "none"), head: byId(`${of}-head`) };
}

/** Return whether a passage that the network reads is at the top, for a number of which no text tells: until the reader
 * asks for a text. */
export function isOfPassage() {
  return data.discoveries.length > 0 && !watched.told && !written.isAsked;
}

/** Write the texts in which the number is held, unless they are here already. */
export function showHeld() {
  const { take } = written;
  const { told } = watched;
  const isPair = Boolean(told);
  const isHeld = take !== null && take.held !== null;
  const isRead = isOfPassage();
  byId("low-side").hidden = !isPair;
  byId("high-side").hidden = !isPair;
  byId("one-side").hidden = !isHeld;
  byId("release").textContent = isPair ? "Two texts" : "Let go";
  const figure = document.querySelector(".first");
  figure.classList.toggle("of-pair", isPair);
  figure.classList.toggle("held", isHeld);
  byId("opening").hidden = isRead;
  byId("followed").hidden = !isRead;
  const [opening] = written.papers;
  opening.sheet.classList.toggle("of-lines", countsLines(told));
  if (take === null) {
    return;
  }

  const { prime, seed, held } = take;
  const { temperature, topN, topP, contrast } = take.plan[0];
  const wanted = [watched.unit, String(prime), seed, temperature, topN, topP, contrast];
  if (isHeld && !isSame(one.shown, [...wanted, held])) {
    one.shown = [...wanted, held];
    tint(one.paper.box, held < 0 ? "low" : "high", TINT * Math.abs(held));
    rewrite(heldText("held", held), held);
  }
  if (isPair && !isSame(pair.shown, wanted)) {
    pair.shown = wanted;
    writeSide(0, -1);
    writeSide(1, 1);
  }
}

/** Return whether what a text was written with is what it is to be written with. */
function isSame(before, wanted) {
  return wanted.every((value, place) => value === before[place]);
}

/** Return a text, of which nothing is written yet, in which the number is held at a position between its limits. */
function heldText(of, position) {
  const { prime, seed, plan } = written.take;
  const { temperature, topN, topP, contrast } = plan[0];
  const held = { unit: watched.unit, value: valueAt(position) };
  pair.texts++;
  return {
    of,
    number: pair.texts,
    ids: [...prime],
    start: prime.length,
    seen: [],
    seed,
    length: LENGTH,
    plan: [{ at: 0, temperature, topN, topP, contrast, ...held }],
  };
}

/** Write the text of a side, in which the number is held at an end, -1 or 1. */
function writeSide(index, position) {
  const { told, ends } = watched;
  const side = pair.sides[index];
  const { paper } = side;
  const text = heldText(side.of, position);
  side.text = text;
  paper.box.ariaLabel = `Written with the handle at ${ends[index]}`;
  paper.onChange = () => {
    const counts = countTelling(paper, text, told);
    showCounts(side.head, ends[index], counts, told, index);
  };

  // The texts of the opening are there, and are replaced when all is known of their characters.
  const isPrinted = paper.isPrinted && isOpening();
  if (!isPrinted) {
    paper.show(onPaper(text));
  }
  // What the take has at once is there at once, or a part of it, since the texts are shorter.
  let burst = 0;
  if (isPrinted) {
    burst = Infinity;
  } else if (written.take.burst) {
    burst = Math.max(AT_FIRST, written.take.burst - AT_ONCE);
  }
  followSide(side, burst);
}

/** Have the worker write what is missing of the text of a side. */
function followSide({ text, paper }, burst = 0) {
  writeText(text, { speed: speedChosen(), burst }, (last) => {
    if (last) {
      endWithWord(text);
      paper.show(onPaper(text));
    } else if (!paper.isPrinted) {
      paper.grow();
    }
  });
}

export function goOnPair() {
  if (!watched.told) {
    return;
  }
  for (const side of pair.sides) {
    side.text.length = Math.min(side.text.seen.length + ON, MOST_WRITTEN);
    followSide(side);
  }
}

/** The handle is taken: words are marked that are others than now. */
export function beginMove() {
  one.moving = false;
}

/** Write the one text anew over what is shown of it, and mark the words that become others. */
function rewrite(text, position) {
  let shown = one.ids;
  if (shown.length === 0) {
    shown = written.take.ids.slice(0, text.start + LENGTH);
  }
  one.text = text;
  if (!one.moving) {
    one.before = shown;
    one.moving = true;
  }

  writeText(text, {}, (last) => {
    if (one.text !== text) {
      return;
    }
    if (last) {
      endWithWord(text);
    }
    const stale = last ? [] : shown.slice(text.ids.length);
    one.ids = [...text.ids, ...stale];
    one.paper.show(onPaper(text, one.ids));
    mark(one.paper.cells.slice(text.ids.length), "stale");

    const counts = countTelling(one.paper, text, watched.told);
    showCounts(one.head, placeOf(position), counts, watched.told);
    markChanged(text.start);
  });
}

function mark(cells, ...classes) {
  for (const cell of cells) {
    cell.classList.add(...classes);
  }
}

/** Mark the words of the one text that are not those that stood there before. */
function markChanged(start) {
  const now = wordsOf(textOf(one.ids.slice(start)));
  const before = wordsOf(textOf(one.before.slice(start)));
  for (const [index, word] of now.entries()) {
    const isSame = word[0] === before[index]?.[0];
    if (!isSame) {
      mark(cellsOf(one.paper, one.ids, start, word), "changed");
    }
  }
}

/** Return the cells of a word, one of wordsOf the text after its beginning. */
function cellsOf({ cells }, ids, start, { index, 0: word }) {
  const before = textOf(ids.slice(start)).slice(0, index);
  const from = start + Array.from(before).length;
  return cells.slice(from, from + Array.from(word).length);
}

/** Mark what tells the ends apart, and return how often each thing that does is here. */
function countTelling(paper, text, told) {
  paper.sheet.classList.toggle("of-lines", countsLines(told));
  if (told?.words === null) {
    return [countSigns(paper, text, told.sign)];
  }
  return countWords(paper, text, told?.words ?? []);
}

/** Return whether line ends tell the ends apart. */
function countsLines(told) {
  return told?.words === null && told.sign === "\n";
}

/** Mark a sign, and return how often it is here. */
function countSigns({ cells }, { ids, start }, sign) {
  const signs = cells.filter((_, place) => place >= start && chars[ids[place]] === sign);
  mark(signs, "telling", "of-high");
  return signs.length;
}

/** Make the words bold that tell the ends apart, and return how often those of each end are here. A name in small letters
 * stands for both. */
function countWords(paper, { ids, start }, wordsOfEnds) {
  const counts = wordsOfEnds.map(() => 0);
  for (const word of wordsOf(textOf(ids.slice(start)))) {
    const [whole] = word;
    const [beforeApostrophe] = whole.split(/['\u2019]/); // of I'm also I
    const forms = [whole, beforeApostrophe, whole.toLowerCase(), beforeApostrophe.toLowerCase()];
    const group = wordsOfEnds.findIndex((words) => words.some((name) => forms.includes(name)));
    if (group >= 0) {
      counts[group]++;
      mark(cellsOf(paper, ids, start, word), "telling", group === 0 ? "of-low" : "of-high");
    }
  }
  return counts;
}

/** Say above a text how it is held, and how often what tells the ends apart is in it.
 * @param {number} own the end of the text, 0 or 1, whose words come first */
function showCounts(head, name, counts, told, own = 0) {
  head.replaceChildren(make("b", "", name));
  const spans = counts.map((count, index) =>
    make("span", "", `${namesOf(told)[index]}: `, make("b", "", count)),
  );
  if (own === 1) {
    spans.reverse();
  }
  head.append(...spans);
}

/** Return where the handle is at a position, from -1 to 1: "the left end, telling", or the share of the way to the right one. */
export function placeOf(position) {
  const [low, high] = watched.ends;
  if (position === -1) {
    return `the left end, ${low}`;
  }
  if (position === 1) {
    return `the right end, ${high}`;
  }
  return `${percent((position + 1) / 2)} of the way to ${high}`;
}

/** Return names of what tells the ends apart: the words of each end, or the sign. */
function namesOf({ words, sign }) {
  if (words === null) {
    return [sign === "\n" ? "line ends" : sign];
  }
  return words.map((group) => group.join(", "));
}

/** Say how often it was in the texts in which it was counted, and in how many of these it was seen. */
export function evidenceOf({ told, ends }) {
  const { counts, texts, seen } = told;
  const names = namesOf(told);
  const timesOf = (times) =>
    names.map((name, end) => `${name} ${counted(times[end], "time")}`).join(" and ");
  const [low, free, high] = counts.map(timesOf);
  const shares = Object.entries(seen).map(([prime, times]) => `${times} after “${prime}”`);
  return (
    `In ${texts} texts of ${LENGTH} characters, held at ${ends[0]}, it wrote ${low}; ` +
    `held at ${ends[1]}, ${high}; not held, ${free}. ` +
    `Each end had more of its own in this many of ${pairsOf(told)} pairs of texts: ${shares.join(", ")}.`
  );
}

/** Return how many pairs of texts there were after each beginning. */
function pairsOf({ texts, seen }) {
  return texts / Object.keys(seen).length;
}

/** Say in how many texts the ends differ as said, or nothing where that was not counted. */
export function shareOf({ told }) {
  if (!told) {
    return "";
  }
  const times = Object.values(told.seen);
  const least = Math.min(...times);
  const share = `${least} of ${pairsOf(told)} texts`;
  if (times.length === 1) {
    return ` Its ends differ like this in ${share}.`;
  }
  const atLeast = least < Math.max(...times) ? "at least " : "";
  return ` Its ends differ like this in ${atLeast}${share} after each of ${times.length} beginnings.`;
}
