/* One beginning and one seed, and the direction that is watched held from the first letter on. At first there are two texts, in which it
 * is held at its two ends; those of the opening stand in the document. The handle brings one text in their place, which is
 * written anew wherever the handle goes. What tells the two ends apart, words or a sign, was counted when the page was made:
 * it is marked and counted here, too. Where a unit is watched, a passage that the network reads has the place of the two. */
import { isNew, state } from "../shared/change.js";
import { counted, percent } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { chars, textOf, valueAt } from "../shared/shown.js";
import { byId, make, tint } from "../shared/view.js";
import { wordsOf } from "../shared/words.js";
import { endWithWord, newText, onPaper, writeText } from "../shared/writing.js";
import { speedChosen } from "./fields.js";
import { AT_ONCE, isOpening, MOST_WRITTEN, ON, settingsOf } from "./link.js";
import { data } from "./model.js";
import { isOfPassage } from "./state.js";

const LENGTH = data.opening.shown; // characters, so that the texts and the handle are in sight together
const AT_FIRST = 120; // of the two texts are written without a pause
const TINT = 0.14; // of a text that is held, as model.css has it for the two texts

export const sides = [sideOf("low"), sideOf("high")];

/** The one text: `ids` are what is shown of it, and `before` what was shown when this move of the handle began, one of
 * state.moves. */
export const one = { ...sideOf("one"), text: null, ids: [], before: [], move: null };

function sideOf(of) {
  return { of, paper: new Paper(of, "none"), head: byId(`${of}-head`) };
}

/** Draw the texts in which the direction is held, and write them, unless they are here already. */
export function drawHeld() {
  const { unit, told } = state.watched;
  const { prime, seed, held, plan } = state.take;
  const isPair = Boolean(told);
  const isHeld = held !== null;
  const isRead = isOfPassage();
  byId("low-side").hidden = !isPair;
  byId("high-side").hidden = !isPair;
  byId("one-side").hidden = !isHeld;
  const figure = document.querySelector(".first");
  figure.classList.toggle("of-pair", isPair);
  figure.classList.toggle("held", isHeld);
  byId("opening").hidden = isRead;
  byId("followed").hidden = !isRead;

  const wanted = [unit, String(prime), seed, ...Object.values(settingsOf(plan[0]))];
  if (isHeld && isNew("one", ...wanted, held)) {
    tint(one.paper.box, held < 0 ? "low" : "high", TINT * Math.abs(held));
    rewrite(heldText("held", held), held);
  }
  if (isPair && isNew("pair", ...wanted)) {
    writeSide(0, -1);
    writeSide(1, 1);
  }
}

/** Return a text, of which nothing is written yet, in which the direction is held at a position between its ends. */
function heldText(of, position) {
  const { take, watched } = state;
  const { prime, seed, plan } = take;
  const direction = watched.unit;
  // It is drawn once, so that it follows the handle.
  const settings = { ...settingsOf(plan[0]), best_of: 1, direction, value: valueAt(position) };
  return newText(of, prime, { seed, length: LENGTH, settings });
}

/** Write the text of a side, in which the direction is held at an end, -1 or 1. */
function writeSide(index, position) {
  const { told, ends } = state.watched;
  const side = sides[index];
  const { paper } = side;
  const text = heldText(side.of, position);
  side.text = text;
  paper.box.ariaLabel = `Written with the handle at ${ends[index]}`;
  paper.onChange = () => {
    const counts = countTelling(paper, text, told);
    showCounts(side.head, ends[index], counts, told, index);
  };

  // The texts of the opening are there, and are replaced when all is known of their characters.
  const isPrinted = paper.isPrinted && isOpening(state.take);
  if (!isPrinted) {
    paper.show(onPaper(text));
  }
  // What the take has at once is there at once, or a part of it, since the texts are shorter.
  let burst = 0;
  if (isPrinted) {
    burst = Infinity;
  } else if (state.take.burst) {
    burst = Math.max(AT_FIRST, state.take.burst - AT_ONCE);
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
  if (!state.watched.told) {
    return;
  }
  for (const side of sides) {
    side.text.length = Math.min(side.text.seen.length + ON, MOST_WRITTEN);
    followSide(side);
  }
}

/** Write the one text anew over what is shown of it, and mark the words that become others. */
function rewrite(text, position) {
  let shown = one.ids;
  if (shown.length === 0) {
    shown = state.take.ids.slice(0, text.start + LENGTH);
  }
  one.text = text;
  if (one.move !== state.moves) {
    one.before = shown;
    one.move = state.moves;
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

    const counts = countTelling(one.paper, text, state.watched.told);
    showCounts(one.head, placeOf(position), counts, state.watched.told);
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
  if (told.words === null) {
    return [countSigns(paper, text, told.sign)];
  }
  return countWords(paper, text, told.words);
}

/** Return whether line ends tell the ends apart. */
export function countsLines(told) {
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
  const [low, high] = state.watched.ends;
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

/** Say in how many texts the ends differ as said. */
export function shareOf({ told }) {
  const times = Object.values(told.seen);
  const least = Math.min(...times);
  const share = `${least} of ${pairsOf(told)} texts`;
  if (times.length === 1) {
    return ` Its ends differ like this in ${share}.`;
  }
  const atLeast = least < Math.max(...times) ? "at least " : "";
  return ` Its ends differ like this in ${atLeast}${share} after each of ${times.length} beginnings.`;
}
