/* The text that is learned. Pure functions. */
import { grouped } from "../shared/numbers.js";

const MOST_BEGINNINGS = 6;
const LEAST_PARAGRAPHS = 5;
const LONGEST_BEGINNING = 20; // characters
const FIRST_WORD = /^[^\s\d]*\p{L}\S*(?=[^\S\n]+\S)/u;

/** Return a text as the page learns it: with line ends of one kind, and at most so many characters. */
export function asLearned(text, most) {
  const characters = Array.from(text.replace(/\r\n?/g, "\n"));
  return { text: characters.slice(0, most).join(""), length: characters.length };
}

/** Return what is said of a text of a length, "" where nothing is: it is too short, or longer than what is learned. */
export function describeLength(length, { least, most }) {
  if (length === 0) {
    return "";
  }
  if (length < least) {
    const missing = grouped(least - length);
    return `A network needs ${grouped(least)} characters to learn from: ${missing} more. About 350 words are enough.`;
  }
  if (length > most) {
    return `Of ${grouped(length)} characters, the first ${grouped(most)} are learned.`;
  }
  return "";
}

/** Return the ids of a text and its characters, in the order of Unicode; from `edge` on it is held out. */
export function materialOf(text, heldOut) {
  const characters = Array.from(text);
  const chars = [...new Set(characters)].sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
  const idOf = new Map(chars.map((char, id) => [char, id]));
  const ids = Int32Array.from(characters, (char) => idOf.get(char));
  return { chars, ids, edge: edgeOf(ids.length, heldOut), beginnings: beginningsOf(text) };
}

/** Return how many of so many characters are learned, and not held out. */
function edgeOf(length, heldOut) {
  return length - Math.floor(heldOut * length);
}

/** Return the part of a text that is learned. */
export function trainingPart(text, heldOut) {
  const characters = Array.from(text);
  return characters.slice(0, edgeOf(characters.length, heldOut)).join("");
}

/** Return what the paragraphs of a text begin with, the most frequent first: their first words, each with a space. Where there
 * are few paragraphs, the lines count. */
export function beginningsOf(text) {
  const paragraphs = text.split(/\n\s*\n/).filter((part) => part.trim() !== "");
  const lines = text.split("\n");
  const parts = paragraphs.length < LEAST_PARAGRAPHS ? lines : paragraphs;
  const counts = new Map();
  for (const part of parts) {
    const [word] = FIRST_WORD.exec(part.trimStart()) ?? [""];
    if (word !== "" && word.length <= LONGEST_BEGINNING) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const words = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const beginnings = words.slice(0, MOST_BEGINNINGS).map((word) => `${word} `);
  return beginnings.length > 0 ? beginnings : ["\n"];
}

/** Return in which language a text is, by the share of its groups of three letters that are among the common ones: the key of
 * `languages`, see share_of in charrnn/text/trigrams.py. */
export function languageOf(text, languages) {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const spaced = ` ${words.join(" ")} `;
  const shareOf = (trigrams) => {
    const common = new Set(trigrams);
    let count = 0;
    for (let place = 0; place + 3 <= spaced.length; place++) {
      count += common.has(spaced.slice(place, place + 3)) ? 1 : 0;
    }
    return count;
  };
  let nearest = null;
  let most = 0;
  for (const [name, { trigrams }] of Object.entries(languages)) {
    const share = shareOf(trigrams);
    if (share > most) {
      nearest = name;
      most = share;
    }
  }
  return nearest;
}
