/* What guards know of a text without the text: charrnn/text/hashes.py, with windows.py and lexicon.py beside it. Pure functions.
 * Hashes are {characters, copied, near, repeated, words, beginnings}: how many characters the text has; of three kinds of its
 * windows {length, hashes}, of the repeated ones also the counts; and its words that the language lacks, with their beginnings.
 * Hashes are sorted, each is there once. */

const MULTIPLIER = 16777619; // of the polynomial hash, modulo 2^32
const COPIED = 20; // characters
const REPEATED = 14;
const REST_OF_A_WORD = 8;
const LARGEST_COUNT = 65535;
const FORM = /[\p{L}\p{N}][\p{L}\p{N}'’]*/gu; // with digits and apostrophes in it
export const APOSTROPHES = "'’";

/** Return whether a character is a letter or a digit. */
export function isOfWord(char) {
  return /[\p{L}\p{N}]/u.test(char);
}

/** Return the hash of a text with one more character, a code point. */
export function longerHash(hash, point) {
  return (Math.imul(hash, MULTIPLIER) + point) >>> 0;
}

/** Return the hash of a text. */
export function hashOf(text) {
  let hash = 0;
  for (const char of text) {
    hash = longerHash(hash, char.codePointAt(0));
  }
  return hash;
}

/** Return where a number is in a sorted array, or -1. */
export function placeOf(sorted, number) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return sorted[low] === number ? low : -1;
}

/** Return hashes sorted, each once. */
function sortedOf(hashes) {
  const sorted = Uint32Array.from(hashes).sort();
  return sorted.filter((hash, place) => place === 0 || hash !== sorted[place - 1]);
}

/** Return the hash of each window of a text, in their order. */
function windowHashes(points, length) {
  const windows = new Uint32Array(Math.max(0, points.length - length + 1));
  for (let offset = 0; offset < length; offset++) {
    for (let place = 0; place < windows.length; place++) {
      windows[place] = longerHash(windows[place], points[place + offset]);
    }
  }
  return windows;
}

/** Return the windows that a text has at least twice, and how often. */
function repeatedWindows(points) {
  const sorted = windowHashes(points, REPEATED).sort();
  const hashes = [];
  const counts = [];
  let from = 0;
  for (let place = 1; place <= sorted.length; place++) {
    if (sorted[place] !== sorted[from]) {
      if (place - from > 1) {
        hashes.push(sorted[from]);
        counts.push(Math.min(place - from, LARGEST_COUNT));
      }
      from = place;
    }
  }
  return { length: REPEATED, hashes: Uint32Array.from(hashes), counts: Uint16Array.from(counts) };
}

/** Return the hashes of words, and those of their beginnings. */
export function hashedWords(words) {
  const whole = [];
  const beginnings = [];
  for (const word of words) {
    let hash = 0;
    for (const char of word) {
      hash = longerHash(hash, char.codePointAt(0));
      beginnings.push(hash);
    }
    whole.push(hash);
  }
  return { words: sortedOf(whole), beginnings: sortedOf(beginnings) };
}

/** Return the words of a text, as they are written there; of "the cat's", also "cat". */
export function formsOf(text) {
  const words = (text.match(FORM) ?? []).map((word) => word.replace(/['’]+$/, ""));
  const stems = words.filter((word) => /['’]s$/.test(word)).map((word) => word.slice(0, -2));
  return [...words, ...stems];
}

/** Return the hashes of a text, a list of characters. `ofLanguage` are those of the frequent words of its language. */
export function hashesOf(characters, ofLanguage) {
  const points = Uint32Array.from(characters, (char) => char.codePointAt(0));
  const areOfWords = characters.map(isOfWord);
  const nearLength = COPIED - REST_OF_A_WORD;
  const near = windowHashes(points, nearLength).filter(
    (_, place) => areOfWords[place + nearLength - 1] && areOfWords[place + nearLength],
  );
  const { words, beginnings } = hashedWords(new Set(formsOf(characters.join(""))));
  return {
    characters: characters.length,
    copied: { length: COPIED, hashes: sortedOf(windowHashes(points, COPIED)) },
    near: { length: nearLength, hashes: sortedOf(near) },
    repeated: repeatedWindows(points),
    words: words.filter((hash) => placeOf(ofLanguage.words, hash) < 0),
    beginnings: beginnings.filter((hash) => placeOf(ofLanguage.beginnings, hash) < 0),
  };
}

/** Return hashes as bytes, see charrnn/text/hashes.py. */
export function packHashes({ characters, copied, near, repeated, words, beginnings }) {
  const bytes = [];
  const add = (number) => {
    let left = number;
    while (left >= 128) {
      bytes.push((left % 128) + 128);
      left = Math.floor(left / 128);
    }
    bytes.push(left);
  };
  const addHashes = (hashes) => {
    add(hashes.length);
    for (const [place, hash] of hashes.entries()) {
      add(place === 0 ? hash : hash - hashes[place - 1]);
    }
  };

  add(characters);
  for (const { length, hashes } of [copied, near, repeated]) {
    add(length);
    addHashes(hashes);
  }
  add(repeated.counts.length);
  for (const count of repeated.counts) {
    add(count);
  }
  addHashes(words);
  addHashes(beginnings);
  return Uint8Array.from(bytes);
}

/** Return the hashes of bytes. */
export function unpackHashes(bytes) {
  let place = 0;
  const next = () => {
    let number = 0;
    let factor = 1;
    while (bytes[place] >= 128) {
      number += (bytes[place] - 128) * factor;
      factor *= 128;
      place++;
    }
    number += bytes[place] * factor;
    place++;
    return number;
  };
  const nextHashes = () => {
    const hashes = new Uint32Array(next());
    let hash = 0;
    for (let index = 0; index < hashes.length; index++) {
      hash += next();
      hashes[index] = hash;
    }
    return hashes;
  };

  const characters = next();
  const nextWindows = () => ({ length: next(), hashes: nextHashes() });
  const copied = nextWindows();
  const near = nextWindows();
  const repeated = nextWindows();
  repeated.counts = Uint16Array.from({ length: next() }, next);
  return { characters, copied, near, repeated, words: nextHashes(), beginnings: nextHashes() };
}
