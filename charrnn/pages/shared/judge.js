/* The reader, which compares sentences that could come next: charrnn/engines/reader.py, with charrnn/text/pieces.py beside it. */

export const COPIED = 20; // characters in a row that two texts have by no accident
const REPEATED = 14;
const UNKNOWN_WORD = 3; // faults
const NEAR = 500; // characters
const OWN_WEIGHT = 10;
const LEAST_SPACES = 0.05;
const SIGNS_OF_PROGRAMS = /[()[\]{}<>=_+*/\\|&%#$@^~`;]/u;
const MOST_SIGNS = 0.03;
export const READ_WORD = /[\p{L}\p{Nl}\p{No}][\p{L}\p{N}_'’]*/gu;
const LAST_READ_WORD = /[\p{L}\p{Nl}\p{No}][\p{L}\p{N}_'’]*$/u;
const IN_READ_WORD = /^[\p{L}\p{N}_'’]/u;

/** Return the form of a word that counts: in lower case, without an 's at its end. */
function formOf(word) {
  return word
    .toLowerCase()
    .replace(/['’]+$/, "")
    .replace(/['’]s$/, "");
}

function formsOf(text) {
  return (text.match(READ_WORD) ?? []).map(formOf);
}

/** Return the words of what follows a text, the first one with its beginning there. */
function formsAfter(before, text) {
  const begun = IN_READ_WORD.test(text) ? (LAST_READ_WORD.exec(before)?.[0] ?? "") : "";
  return formsOf(begun + text);
}

/** Return the last characters of a text, so many of them. */
function endOf(text, length) {
  return Array.from(text.slice(-2 * length)).slice(-length);
}

/** Return all runs of so many characters. */
function runsOf(characters, length) {
  const runs = Math.max(0, characters.length - length + 1);
  return Array.from({ length: runs }, (_, from) => characters.slice(from, from + length).join(""));
}

/** Return how often a text has another one, without overlaps. */
function countOf(text, part) {
  let count = 0;
  let place = text.indexOf(part);
  while (place >= 0) {
    count++;
    place = text.indexOf(part, place + part.length);
  }
  return count;
}

/** Return the share of the characters for which a rule holds. */
function shareThatIs(characters, rule) {
  return characters.filter((char) => rule.test(char)).length / Math.max(1, characters.length);
}

/** Return whether a text is written in words with spaces between them, and is no program. */
function isOfWords(characters) {
  const hasSpaces = characters.length === 0 || shareThatIs(characters, /\s/u) >= LEAST_SPACES;
  return hasSpaces && shareThatIs(characters, SIGNS_OF_PROGRAMS) <= MOST_SIGNS;
}

/** Ranks sentences by faults, and then by what the network expects and by how many own words there are. */
export class Reader {
  /** @param {string} training the text that was learned; "" for none @param {string[] | null} words the frequent ones of
   *   its language @param {boolean} ofLines whether the text is a list, which has no words of a language */
  constructor({ training, words, ofLines = false }) {
    const characters = Array.from(training);
    this.training = training;
    this.length = characters.length;
    this.windows = new Set(runsOf(characters, COPIED));
    this.known = new Set(formsOf(training));
    this.own = new Set();
    if (words !== null) {
      const ofLanguage = new Set(formsOf(words.join("\n")));
      this.own = new Set([...this.known].filter((word) => !ofLanguage.has(word)));
      this.known = new Set([...this.known, ...ofLanguage]);
    }
    this.mindsWords = this.known.size > 0 && !ofLines && isOfWords(characters);
    this.usual = this.shareOfOwn(training);
  }

  /** Return how good a sentence is after a text: {isWhole, faults, expected}, see isBetter. `mean` is that of the logarithms
   * of the probabilities of its characters, and `isWhole` says whether it has its end. */
  rank(before, sentence, mean, isWhole) {
    const unknown = formsAfter(before, sentence).filter((word) => !this.known.has(word));
    const ofWords = this.mindsWords ? UNKNOWN_WORD * unknown.length : 0;
    const near = endOf(before, NEAR).join("") + sentence;
    const lacking = Math.max(0, this.usual - this.shareOfOwn(near));
    return {
      isWhole,
      faults: this.copies(before, sentence) + this.repetitions(before, sentence) + ofWords,
      expected: mean - OWN_WEIGHT * lacking,
    };
  }

  /** Return how many windows of the text that was learned end in a sentence. */
  copies(before, sentence) {
    const characters = [...endOf(before, COPIED - 1), ...sentence];
    return this.copiedRuns(characters).filter(Boolean).length;
  }

  /** Return how many windows that end in a sentence the text has had more often than the one that was learned has them. */
  repetitions(before, sentence) {
    const share = Array.from(before + sentence).length / Math.max(1, this.length);
    const inSentence = new Map();
    const isRepeated = (window) => {
      const counted = inSentence.get(window) ?? 0;
      inSentence.set(window, counted + 1);
      const had = countOf(before, window) + counted;
      if (had === 0) {
        return false;
      }
      const inTraining = countOf(this.training, window);
      return had > (inTraining > 1 ? Math.floor(inTraining * share) : 0);
    };
    return runsOf([...endOf(before, REPEATED - 1), ...sentence], REPEATED).filter(isRepeated)
      .length;
  }

  shareOfOwn(text) {
    const forms = formsOf(text);
    return forms.filter((form) => this.own.has(form)).length / Math.max(1, forms.length);
  }

  /** Return whether the text that was learned has a word, and its language has it not. */
  isOwn(word) {
    return this.own.has(formOf(word));
  }

  /** Return of each run of COPIED characters whether the text that was learned has it. */
  copiedRuns(characters) {
    return runsOf(characters, COPIED).map((window) => this.windows.has(window));
  }
}

/** Return the reader of a text that was learned. Where it is not at hand, it knows no words: it would take the own words of that
 * text for unknown ones. */
export function readerOf(training, words) {
  return new Reader({ training, words: training === "" ? null : words });
}

/** Return whether a rank is that of a better sentence than another one. */
export function isBetter(rank, other) {
  if (rank.isWhole !== other.isWhole) {
    return rank.isWhole;
  }
  return rank.faults === other.faults ? rank.expected > other.expected : rank.faults < other.faults;
}
