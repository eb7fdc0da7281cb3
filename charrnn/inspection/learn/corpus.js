/* The text that is learned, and what simple counts make of it. Pure functions. */
"use strict";
const [LEAST_TEXT, MOST_TEXT, MOST_CLASSES] = [1000, 2000000, 2000];
const HELD_OUT = 0.1; // of the text, at its end, is never learned
// of a list: lines, characters of one, the share of distinct ones, and of those that go on in the next or name a speaker
const [LIST_LINES, LIST_WIDTH, DISTINCT, EXCEPTIONS] = [200, 100, 0.9, 0.05];

/** Return the text with its lines shuffled, in the order in which charrnn shuffles them, if it is a list, else null. */
function shuffledList(text) {
  const items = `${text.replace(/\n$/, "")}\n`.match(/[^\n]*\n(?:[^\S\n]*\n)*/g);
  const lines = items.map((item) => item.trimEnd());
  const exceptions = lines.filter((line) => /^\s|[,;:\u2014-]$|^[\W\d]*\p{L}[^:]{0,30}: /u.test(line));
  if (lines.length < LIST_LINES || lines.some(({ length }) => length > LIST_WIDTH)
      || new Set(lines).size < DISTINCT * lines.length || exceptions.length > EXCEPTIONS * lines.length) {
    return null;
  }
  const random = new RandomState(0);
  const keys = items.map((item) => [random.randomSample(), item]);
  return keys.sort(([a], [b]) => a - b).map(([, item]) => item).join("");
}

/** Return what is learned of a text, {ids, edge, chars, note}: from `edge` on it is held out. `vocabulary` are the
 * characters of a network, null for those of the text. @throws {Error} it is too short, too long, or of one character */
function corpusOf(text, vocabulary = null) {
  const even = text.replace(/\r\n?/g, "\n");
  const shuffled = shuffledList(even);
  const counts = new Map();
  for (const char of even) {
    counts.set(char, (counts.get(char) || 0) + 1);
  }
  const frequent = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, MOST_CLASSES);
  const known = vocabulary || frequent.sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
  const numbers = new Map(known.map((char, id) => [char, id]));
  const ids = Int32Array.from(shuffled || even, (char) => numbers.get(char) ?? -1).filter((id) => id >= 0);
  const lacking = [...counts.keys()].filter((char) => !numbers.has(char));
  if (counts.size < 2) {
    throw new Error("It has one character only, so there is nothing to guess.");
  }
  if (ids.length < LEAST_TEXT || ids.length > MOST_TEXT) {
    throw new Error(`A text has ${grouped(LEAST_TEXT)} to ${grouped(MOST_TEXT)} characters. This one has ${grouped(ids.length)}${
      vocabulary ? " that the network knows" : ""}.`);
  }
  const left = lacking.reduce((sum, char) => sum + counts.get(char), 0);
  const why = vocabulary ? "the network does not know them" : `only the ${grouped(MOST_CLASSES)} most frequent fit`;
  const note = `${shuffled ? "It is a list: its lines were shuffled. " : ""}${left ? `Left out: ${
    counted(lacking.length, "character")} (${percent(left / (left + ids.length))} of the text), because ${why}.` : ""}`;
  return { ids, edge: ids.length - Math.floor(HELD_OUT * ids.length), chars: known, note };
}

/** Return the nats per character of a text if each is guessed from the one before by the counts in another text: the mix
 * of Witten and Bell 1991, as ngram_nats of charrnn/text/baselines.py has it for order 1. */
function bigramNats(learned, ids, numClasses) {
  const [singles, totals, kinds] = [0, 1, 2].map(() => new Float64Array(numClasses));
  const pairs = new Map();
  learned.forEach((id, place) => {
    const [before, pair] = [learned[place - 1], learned[place - 1] * numClasses + id];
    singles[id]++;
    if (place) {
      totals[before]++;
      kinds[before] += pairs.has(pair) ? 0 : 1;
      pairs.set(pair, (pairs.get(pair) || 0) + 1);
    }
  });
  const seen = singles.filter(Boolean).length;
  let nats = 0;
  for (let place = 1; place < ids.length; place++) {
    const [before, id] = [ids[place - 1], ids[place]];
    const alone = (singles[id] + seen / numClasses) / (learned.length + seen);
    const both = pairs.get(before * numClasses + id) || 0;
    nats -= Math.log(totals[before] ? (both + kinds[before] * alone) / (totals[before] + kinds[before]) : alone);
  }
  return nats / (ids.length - 1);
}
