/* What may not come next while a text is written: charrnn/engines/guards.py, with charrnn/text/lexicon.py beside it. */
import { APOSTROPHES, hashedWords, hashOf, isOfWord, longerHash, placeOf } from "./hashes.js";

const DIGITS = /^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089]+$/u;
const BEFORE_A_SENTENCE = " \t\"'“”‘’«»„()[]*_—–-";
const ENDS = ".!?…:;\n";

// charrnn/text/features.py has the families of quotation marks, and the name of the property.
const QUOTATION = "inside quotation marks";
const APOSTROPHE_LIKE = "'‘’‚‛";
const QUOTES = ['"“”„‟＂', "«»", APOSTROPHE_LIKE, "‹›", "「」", "『』", "〝〞〟", "｢｣"];
const BEFORE_CLOSING = ".,;:!?…";
const HELD_INSIDE = 0.5; // of the way from outside; below it, a direction is held outside

/** Return the quotation marks that open and close each other, of which a character is one; undefined if it is none. */
function familyOf(char) {
  return QUOTES.find((family) => family.includes(char));
}

/** Return whether a quotation mark closes after a character; undefined is the beginning of a text. */
function isBeforeClosing(char) {
  return char !== undefined && (isOfWord(char) || BEFORE_CLOSING.includes(char));
}

/** Return whether a mark of a family is an apostrophe between these two characters, or undefined at an end of the text. */
function isApostrophe(family, before, after) {
  const hasBoth = before !== undefined && after !== undefined;
  return family === APOSTROPHE_LIKE && hasBoth && isOfWord(before) && isOfWord(after);
}

/** Known words, and how a text may go on inside of one. */
class Lexicon {
  /** @param {{words: Uint32Array, beginnings: Uint32Array}[]} parts hashes, see hashedWords */
  constructor(parts) {
    this.parts = parts;
  }

  /** Return whether a character may follow the part of a word, or "" between words. */
  allows(part, isFirst, char) {
    const isApostrophe = APOSTROPHES.includes(char);
    if (isOfWord(char) || (part !== "" && isApostrophe)) {
      const longer = part + char;
      if (this.has("beginnings", longer, isFirst) || DIGITS.test(longer)) {
        return true;
      }
      // An apostrophe may be a closing quotation mark.
      return isApostrophe && this.isWord(part, isFirst);
    }
    return part === "" || this.isWord(part, isFirst);
  }

  isWord(part, isFirst) {
    const word = part.replace(/['’]+$/, "");
    return DIGITS.test(word) || this.has("words", word, isFirst);
  }

  /** Return whether it is one of the words or beginnings, at the beginning of a sentence also with a capital. */
  has(kind, text, isFirst) {
    const hashes = [hashOf(text)];
    if (isFirst) {
      const [first = "", ...rest] = text;
      hashes.push(hashOf(first.toLowerCase() + rest.join("")));
    }
    return hashes.some((hash) => this.parts.some((part) => placeOf(part[kind], hash) >= 0));
  }
}

/** What a text must not do: no copy, no word that is none, no repetition, in the order in which they give way last. */
export class Guards {
  /** @param {string[]} chars of the network
   * @param {string[]} words the frequent ones of a language @param {Object | null} hashes of the text that was learned, see
   *   hashes.js
   * Without words none are known ones, and without hashes copies and repetitions are not known either. */
  constructor(chars, words, hashes) {
    this.chars = chars;
    this.points = chars.map((char) => char.codePointAt(0));
    this.areOfWords = chars.map(isOfWord);
    this.families = chars.map(familyOf);
    this.hashes = hashes;
    this.words = words;
    this.lexicon = null;
    this.masks = new Map(); // of what may follow a part of a word, which comes again and again
  }

  /** Leave the characters that guards allow, see `processors` in worker.js. Where nothing is left, a guard gives way. */
  process(changed, _, text, { noCopy = 0, noRepeat = 0, knownWords = false, direction, value }) {
    const { ids } = text;
    const guards = [];
    const hasCopies = noCopy > 0 && this.hashes !== null;
    if (hasCopies) {
      guards.push(this.uncopied(ids));
    }
    if (knownWords && this.words.length > 0) {
      guards.push(hasCopies ? this.wordsThatEnd(ids) : this.alongWords(ids));
    }
    if (noRepeat > 0 && this.hashes !== null) {
      guards.push(this.unrepeated(text));
    }
    if (direction) {
      guards.push(this.paired(ids, direction !== QUOTATION || value >= HELD_INSIDE));
    }
    if (guards.length === 0) {
      return changed;
    }

    let kept = Array.from(changed, (logit) => logit > -Infinity);
    for (const allowed of guards) {
      const narrower = kept.map((isKept, id) => isKept && allowed[id]);
      kept = narrower.includes(true) ? narrower : kept;
    }
    return changed.map((logit, id) => (kept[id] ? logit : -Infinity));
  }

  /** Return the hash of the end of a text, of so many characters. */
  hashOfEnd(ids, length) {
    let hash = 0;
    for (let place = ids.length - length; place < ids.length; place++) {
      hash = longerHash(hash, this.points[ids[place]]);
    }
    return hash;
  }

  /** Return which characters complete no window of the text that was learned. */
  uncopied(ids) {
    const { length, hashes } = this.hashes.copied;
    if (ids.length < length - 1) {
      return this.points.map(() => true);
    }
    const hash = this.hashOfEnd(ids, length - 1);
    return this.points.map((point) => placeOf(hashes, longerHash(hash, point)) < 0);
  }

  /** Return a function that tells whether an id leads so near to a copy that the word may have to end in one. */
  nearness(ids) {
    const { length, hashes } = this.hashes.near;
    if (ids.length < length - 1) {
      return () => false;
    }
    const hash = this.hashOfEnd(ids, length - 1);
    return (id) => placeOf(hashes, longerHash(hash, this.points[id])) >= 0;
  }

  /** Return what stays in the known words, copies nothing, and begins no word that only a copy could end. */
  wordsThatEnd(ids) {
    const isAllowed = this.endingRule([...ids]);
    return this.chars.map((_, id) => isAllowed(id));
  }

  /** Return a function that tells of an id whether it is one of these. It changes `ids` for a moment. */
  endingRule(ids) {
    const words = this.alongWords(ids);
    const uncopied = this.uncopied(ids);
    const isNear = this.nearness(ids);
    return (id) => {
      if (!words[id] || !uncopied[id]) {
        return false;
      }
      return !this.areOfWords[id] || !isNear(id) || this.canEndAfter(ids, id);
    };
  }

  /** Return whether the word at the end of a text and one more character can end, or become another one, without a copy. */
  canEndAfter(ids, id) {
    ids.push(id);
    const isAllowed = this.endingRule(ids);
    const canEnd = this.chars.some((_, next) => isAllowed(next));
    ids.pop();
    return canEnd;
  }

  /** Return which characters may follow by the words alone. */
  alongWords(ids) {
    // It takes a moment to make, and may never be needed.
    this.lexicon ??= new Lexicon([hashedWords(this.words), this.hashes].filter(Boolean));
    const { part, isFirst } = this.lastWord(ids);
    const key = `${Number(isFirst)}${part}`;
    if (!this.masks.has(key)) {
      const mask = this.chars.map((char) => this.lexicon.allows(part, isFirst, char));
      this.masks.set(key, mask);
    }
    return this.masks.get(key);
  }

  /** Return the word at the end of a text, as far as it is written, and whether it begins a sentence or a line. */
  lastWord(ids) {
    let start = ids.length;
    while (start > 0 && this.isInWord(ids[start - 1])) {
      start--;
    }
    while (start < ids.length && !this.areOfWords[ids[start]]) {
      start++;
    }
    const part = ids.slice(start).map((id) => this.chars[id]);
    let before = start - 1;
    while (before >= 0 && BEFORE_A_SENTENCE.includes(this.chars[ids[before]])) {
      before--;
    }
    const isFirst = before < 0 || ENDS.includes(this.chars[ids[before]]);
    return { part: part.join(""), isFirst };
  }

  isInWord(id) {
    return this.areOfWords[id] || APOSTROPHES.includes(this.chars[id]);
  }

  /** Return which characters complete no window that the text has had, unless the text that was learned repeats it as often. */
  unrepeated(text) {
    const { ids } = text;
    const { characters, repeated } = this.hashes;
    const allowed = this.points.map(() => true);
    const counts = this.countsAfter(text, repeated.length - 1);
    const hash = this.hashOfEnd(ids, Math.min(ids.length, repeated.length - 1));
    for (const [id, count] of counts) {
      const place = placeOf(repeated.hashes, longerHash(hash, this.points[id]));
      const inLearned = place < 0 ? 0 : repeated.counts[place];
      const share = ids.length / characters;
      allowed[id] = count < 1 + Math.floor(inLearned * share);
    }
    return allowed;
  }

  /** Return which characters close no quotation that none has opened in the paragraph, and open one only where they may. */
  paired(ids, mayOpen) {
    const openFamilies = this.openFamilies(ids);
    const last = this.chars[ids.at(-1)];
    const opens = mayOpen && !isBeforeClosing(last);
    const followsWord = last !== undefined && isOfWord(last);
    return this.families.map((family) => {
      const mayBeApostrophe = family === APOSTROPHE_LIKE && followsWord;
      return family === undefined || openFamilies.has(family) || opens || mayBeApostrophe;
    });
  }

  /** Return the families of quotation marks that are open in the last paragraph of a text. */
  openFamilies(ids) {
    let start = ids.length;
    while (start > 0 && !(this.chars[ids[start - 1]] === "\n" && this.chars[ids[start]] === "\n")) {
      start--;
    }
    const openFamilies = new Set();
    for (let place = start; place < ids.length; place++) {
      const family = this.families[ids[place]];
      const before = place > start ? this.chars[ids[place - 1]] : undefined;
      const after = this.chars[ids[place + 1]];
      if (family === undefined || isApostrophe(family, before, after)) {
        continue;
      }
      if (openFamilies.has(family) && before !== undefined && !/\s/u.test(before)) {
        openFamilies.delete(family);
      } else if (!isBeforeClosing(before)) {
        openFamilies.add(family);
      }
    }
    return openFamilies;
  }

  /** Return a copy of what is known of a text. */
  copied({ counted, followers }) {
    const copies = Array.from(followers, ([key, counts]) => [key, new Map(counts)]);
    return { counted, followers: new Map(copies) };
  }

  /** Return how often each id has followed the last characters of a text before, so many of them. */
  countsAfter({ ids, notes }, length) {
    if (!notes.has(this)) {
      notes.set(this, { counted: length, followers: new Map() });
    }
    const note = notes.get(this);
    const { followers } = note;
    for (; note.counted < ids.length; note.counted++) {
      const key = ids.slice(note.counted - length, note.counted).join();
      if (!followers.has(key)) {
        followers.set(key, new Map());
      }
      const counts = followers.get(key);
      const id = ids[note.counted];
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return followers.get(ids.slice(-length).join()) ?? new Map();
  }
}
