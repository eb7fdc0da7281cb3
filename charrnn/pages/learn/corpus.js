/* The text that is learned, and what simple counts make of it. Pure functions. */
import { RandomState } from "../shared/decoding.js";
import { counted, grouped, percent } from "../shared/numbers.js";

const LEAST_TEXT = 1000; // characters
const MOST_TEXT = 2000000;
const MOST_CLASSES = 2000;
const HELD_OUT = 0.1; // of the text, at its end, is never learned

// The rule of charrnn/text/lines.py, which says what these are.
const LEAST_LINES = 200;
const LONGEST_LINE = 100;
const NARROWEST = 40;
const LACKING = 8;
const EXCEPTIONS = 0.05;
const LOOKED_AT = 200000; // characters
const CONTINUES = /^(?:[\s\u2013\u2014]|.*[,;:\uff0c\uff1b\uff1a\u3001\u2013\u2014-]$)/u;
const FIRST_LETTER = /^\P{L}*(\p{L})/u;
const SPEAKER = /^\P{L}*(\p{L}[^:\uff1a<>]{0,30})(?:[:>]\s|\uff1a)/u;

/** Return how often each value is there, a Map. */
function countsOf(values) {
  const counts = new Map();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** Return the key of a Map with the largest value, the first of equal ones. */
function mostFrequent(counts) {
  let most = null;
  for (const [value, count] of counts) {
    if (most === null || count > counts.get(most)) {
      most = value;
    }
  }
  return most;
}

/** Return the lines of a text, each with the blank lines after it. */
function itemsOf(text) {
  return text.split(/(?<=\n)(?=[^\S\n]*\S)/);
}

function charactersIn(text) {
  return Array.from(text).length;
}

/** Return whether a text is plainly a list, by the rule of is_list in charrnn/text/lines.py. */
export function isList(text) {
  let items = itemsOf(text.slice(0, LOOKED_AT));
  if (text.length > LOOKED_AT) {
    items.pop(); // it may be cut
  }
  items = items.filter((item) => item.trim() !== "");
  const lines = items.map((item) => item.trimEnd());
  if (lines.length < LEAST_LINES || new Set(lines).size < 0.9 * lines.length) {
    return false;
  }
  if (lines.some((line) => charactersIn(line) > LONGEST_LINE)) {
    return false;
  }
  return exceptionsIn(items, lines) <= EXCEPTIONS * lines.length && !isProse(lines);
}

/** Return how many lines are unlike those of a list: they go on in the next line, or name a speaker. */
function exceptionsIn(items, lines) {
  const lineEnds = items.slice(0, -1).map((item) => item.split("\n").length);
  const usual = mostFrequent(countsOf(lineEnds));
  const speakers = lines.map((line) => SPEAKER.exec(line)?.[1]);
  const turns = countsOf(speakers);

  const exceptions = lineEnds.filter((count, place) => {
    const speaker = speakers[place];
    const isSpoken = speaker !== undefined && turns.get(speaker) > 2;
    return count !== usual || isSpoken || CONTINUES.test(lines[place]);
  });
  return exceptions.length;
}

/** Return whether lines are those of a text that was broken at some width.
 * Most are nearly full, and, in a script with two cases, some begin with a small letter and some with a capital. */
function isProse(lines) {
  const lengths = lines.map(charactersIn);
  const sorted = [...lengths].sort((a, b) => a - b);
  const width = sorted[Math.floor(0.9 * lines.length)];
  const full = lengths.filter((length) => length >= width - LACKING).length;

  const letters = lines.map((line) => FIRST_LETTER.exec(line)?.[1] ?? "");
  const small = letters.filter((letter) => /\p{Ll}/u.test(letter)).length;
  const capital = letters.filter((letter) => /\p{Lu}/u.test(letter)).length;
  const few = EXCEPTIONS * lines.length;
  const hasOneCase = Math.min(small, capital) <= few && few < small + capital;
  return width >= NARROWEST && full > 0.5 * lines.length && !hasOneCase;
}

/** Return a text with its lines in the order in which charrnn shuffles them. */
function shuffled(text) {
  const random = new RandomState(0);
  const ended = text.endsWith("\n") ? text : `${text}\n`;
  const keyed = itemsOf(ended).map((item) => ({ key: random.randomSample(), item }));
  keyed.sort((a, b) => a.key - b.key);
  return keyed.map(({ item }) => item).join("");
}

/** Return what is learned of a text, {ids, edge, chars, note}: from `edge` on it is held out. `vocabulary` are the
 * characters of a network, null for those of the text. @throws {Error} it is too short, too long, or of one character */
export function corpusOf(text, vocabulary = null) {
  const unixText = text.replace(/\r\n?/g, "\n");
  const counts = countsOf(unixText);
  const chars = vocabulary ?? vocabularyOf(counts);
  const idOf = new Map(chars.map((char, id) => [char, id]));

  const isShuffled = isList(unixText);
  const ordered = isShuffled ? shuffled(unixText) : unixText;
  const allIds = Int32Array.from(ordered, (char) => idOf.get(char) ?? -1);
  const ids = allIds.filter((id) => id >= 0);
  checkLength(ids.length, vocabulary !== null);
  if (counts.size < 2) {
    throw new Error("It has one character only, so there is nothing to guess.");
  }

  const notes = [];
  if (isShuffled) {
    notes.push("It is a list: its lines were shuffled. ");
  }
  const lacking = [...counts.keys()].filter((char) => !idOf.has(char));
  if (lacking.length > 0) {
    const left = lacking.reduce((sum, char) => sum + counts.get(char), 0);
    const share = left / (left + ids.length);
    notes.push(describeLacking(lacking.length, share, vocabulary !== null));
  }
  const edge = ids.length - Math.floor(HELD_OUT * ids.length);
  return { ids, edge, chars, note: notes.join("") };
}

/** Return the most frequent characters of a text in the order of Unicode. */
function vocabularyOf(counts) {
  const byFrequency = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const frequent = byFrequency.slice(0, MOST_CLASSES);
  return frequent.sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
}

function checkLength(length, isVocabularyFixed) {
  if (length >= LEAST_TEXT && length <= MOST_TEXT) {
    return;
  }
  const known = isVocabularyFixed ? " that the network knows" : "";
  throw new Error(
    `A text has ${grouped(LEAST_TEXT)} to ${grouped(MOST_TEXT)} characters. ` +
      `This one has ${grouped(length)}${known}.`,
  );
}

function describeLacking(count, share, isVocabularyFixed) {
  let reason = `only the ${grouped(MOST_CLASSES)} most frequent fit`;
  if (isVocabularyFixed) {
    reason = "the network does not know them";
  }
  const characters = counted(count, "character");
  return `Left out: ${characters} (${percent(share)} of the text), because ${reason}.`;
}

/** Return the bits per character of a text if each is guessed from the one before by the counts in another text: the mix
 * of Witten and Bell 1991, as ngram_nats of charrnn/text/baselines.py has it for order 1. */
export function bigramBits(learned, ids, numClasses) {
  const singles = countsOf(learned);
  const totals = countsOf(learned.slice(0, -1));
  // A pair is one number.
  const pairs = countsOf(learned.slice(1).map((id, place) => learned[place] * numClasses + id));
  // How many different characters come after one.
  const kinds = countsOf(Array.from(pairs.keys(), (pair) => Math.floor(pair / numClasses)));

  let bits = 0;
  for (let place = 1; place < ids.length; place++) {
    const before = ids[place - 1];
    const id = ids[place];
    const single = singles.get(id) ?? 0;
    const alone = (single + singles.size / numClasses) / (learned.length + singles.size);

    const total = totals.get(before) ?? 0;
    let probability = alone;
    if (total > 0) {
      const pair = pairs.get(before * numClasses + id) ?? 0;
      const kind = kinds.get(before);
      probability = (pair + kind * alone) / (total + kind);
    }
    bits -= Math.log2(probability);
  }
  return bits / (ids.length - 1);
}
