/* The text that is learned, and what simple counts make of it. Pure functions. */
import { RandomState } from "../shared/decoding.js";
import { counted, grouped, percent } from "../shared/text.js";

const [LEAST_TEXT, MOST_TEXT, MOST_CLASSES] = [1000, 2000000, 2000];
const HELD_OUT = 0.1; // of the text, at its end, is never learned

/** Return how often each of some things is there, a Map. */
function countsOf(things) {
  const counts = new Map();
  for (const thing of things) {
    counts.set(thing, (counts.get(thing) || 0) + 1);
  }
  return counts;
}

const itemsOf = (text) => text.split(/(?<=\n)(?=[^\S\n]*\S)/); // lines, each with the blank lines after it
const lengthOf = (text) => Array.from(text).length;

/** Return whether a text is plainly a list, by the rule of is_list in charrnn/text/lists.py. */
export function isList(text) {
  const items = itemsOf(text.slice(0, 200000))
    .slice(0, text.length > 200000 ? -1 : undefined)
    .filter((item) => item.trim());
  const lines = items.map((item) => item.trimEnd());
  const lengths = lines.map(lengthOf).sort((a, b) => a - b);
  if (lines.length < 200 || lengths.at(-1) > 100 || new Set(lines).size < 0.9 * lines.length) {
    return false;
  }
  const width = lengths[Math.floor(0.9 * lines.length)];
  const full = lines.filter((line) => lengthOf(line) >= width - 8).length;
  const letters = lines.map((line) => /^\P{L}*(\p{L})/u.exec(line)?.[1] ?? "");
  const cases = [/\p{Ll}/u, /\p{Lu}/u].map(
    (inCase) => letters.filter((letter) => inCase.test(letter)).length,
  );
  const few = 0.05 * lines.length;
  const hasOneCase = Math.min(...cases) <= few && few < cases[0] + cases[1];
  const blankLines = items.slice(0, -1).map((item) => item.split("\n").length);
  const [usual] = [...countsOf(blankLines)].reduce((most, each) =>
    each[1] > most[1] ? each : most,
  );
  const speakers = lines.map(
    (line) => /^\P{L}*(\p{L}[^:\uff1a<>]{0,30})(?:[:>]\s|\uff1a)/u.exec(line)?.[1],
  );
  const turns = countsOf(speakers);
  const exceptions = blankLines.filter(
    (count, at) =>
      count !== usual ||
      (speakers[at] && turns.get(speakers[at]) > 2) ||
      /^(?:[\s\u2013\u2014]|.*[,;:\uff0c\uff1b\uff1a\u3001\u2013\u2014-]$)/u.test(lines[at]),
  );
  return exceptions.length <= few && (width < 40 || full <= 0.5 * lines.length || hasOneCase);
}

/** Return a text with its lines in the order in which charrnn shuffles them. */
function shuffled(text) {
  const random = new RandomState(0);
  const keys = itemsOf(text.endsWith("\n") ? text : `${text}\n`).map((item) => [
    random.randomSample(),
    item,
  ]);
  return keys
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
    .join("");
}

/** Return what is learned of a text, {ids, edge, chars, note}: from `edge` on it is held out. `vocabulary` are the
 * characters of a network, null for those of the text. @throws {Error} it is too short, too long, or of one character */
export function corpusOf(text, vocabulary = null) {
  const even = text.replace(/\r\n?/g, "\n");
  const isShuffled = isList(even);
  const counts = countsOf(even);
  const frequent = [...counts.keys()]
    .sort((a, b) => counts.get(b) - counts.get(a))
    .slice(0, MOST_CLASSES);
  const known = vocabulary || frequent.sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
  const numbers = new Map(known.map((char, id) => [char, id]));
  const ids = Int32Array.from(
    isShuffled ? shuffled(even) : even,
    (char) => numbers.get(char) ?? -1,
  ).filter((id) => id >= 0);
  const lacking = [...counts.keys()].filter((char) => !numbers.has(char));
  if (ids.length < LEAST_TEXT || ids.length > MOST_TEXT) {
    throw new Error(
      `A text has ${grouped(LEAST_TEXT)} to ${grouped(MOST_TEXT)} characters. This one has ${grouped(ids.length)}${
        vocabulary ? " that the network knows" : ""
      }.`,
    );
  }
  if (counts.size < 2) {
    throw new Error("It has one character only, so there is nothing to guess.");
  }
  const left = lacking.reduce((sum, char) => sum + counts.get(char), 0);
  const why = vocabulary
    ? "the network does not know them"
    : `only the ${grouped(MOST_CLASSES)} most frequent fit`;
  const note = `${isShuffled ? "It is a list: its lines were shuffled. " : ""}${
    left
      ? `Left out: ${counted(
          lacking.length,
          "character",
        )} (${percent(left / (left + ids.length))} of the text), because ${why}.`
      : ""
  }`;
  return { ids, edge: ids.length - Math.floor(HELD_OUT * ids.length), chars: known, note };
}

/** Return the bits per character of a text if each is guessed from the one before by the counts in another text: the mix
 * of Witten and Bell 1991, as ngram_nats of charrnn/text/baselines.py has it for order 1. */
export function bigramBits(learned, ids, numClasses) {
  const singles = countsOf(learned);
  const totals = countsOf(learned.slice(0, -1));
  const pairs = countsOf(learned.slice(1).map((id, place) => learned[place] * numClasses + id));
  const kinds = countsOf(Array.from(pairs.keys(), (pair) => Math.floor(pair / numClasses))); // of characters after one
  let bits = 0;
  for (let place = 1; place < ids.length; place++) {
    const [before, id] = [ids[place - 1], ids[place]];
    const alone =
      ((singles.get(id) || 0) + singles.size / numClasses) / (learned.length + singles.size);
    const [both, kind, total] = [
      pairs.get(before * numClasses + id) || 0,
      kinds.get(before),
      totals.get(before),
    ];
    bits -= Math.log2(total ? (both + kind * alone) / (total + kind) : alone);
  }
  return bits / (ids.length - 1);
}
