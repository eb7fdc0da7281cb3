/* Whose words a text has, and what it copies: charrnn/text/novelty.py, on hashes of the text that was learned, so that a page
 * can tell it without the text. Pure functions. */
import { hashOf, placeOf, unpackHashes } from "../shared/hashes.js";

const NOVEL_WORD = /\p{L}[\p{L}\p{M}\p{N}_'’]+/gu;

/** Return a function that tells of a word whether the text has it, of which the hashes are, and the language has it not. */
function ownRule(hashes, ofLanguage) {
  return (word) => {
    const form = word.replace(/['’]+$/, "");
    const [first, ...rest] = form;
    const forms = [form, form.toLowerCase(), first.toUpperCase() + rest.join("")];
    const isInText = forms.some((known) => placeOf(hashes.words, hashOf(known)) >= 0);
    return isInText && !ofLanguage.has(form.toLowerCase());
  };
}

/** Return which places of a text are in a window that the learned text has, and how many of how many windows are. */
function copiedPlaces(text, { length, hashes }) {
  const characters = Array.from(text);
  const copied = new Uint8Array(text.length);
  const runs = Math.max(0, characters.length - length + 1);
  let copiedRuns = 0;
  let from = 0; // in UTF-16, in which a character may have two places
  for (let run = 0; run < runs; run++) {
    const window = characters.slice(run, run + length).join("");
    if (placeOf(hashes, hashOf(window)) >= 0) {
      copied.fill(1, from, from + window.length);
      copiedRuns++;
    }
    from += characters[run].length;
  }
  return { copied, runs, copiedRuns };
}

/** Return a text in parts, {text, isOwn, isCopied}, how many of its words are own, and how many of its runs are copied.
 * @param {Uint8Array} bytes hashes of the text that was learned @param {Set} ofLanguage words in lower case */
export function marked(text, bytes, ofLanguage) {
  const hashes = unpackHashes(bytes);
  const { copied, runs, copiedRuns } = copiedPlaces(text, hashes.copied);

  const isOwnWord = ownRule(hashes, ofLanguage);
  const isOwn = new Uint8Array(text.length);
  const words = [...text.matchAll(NOVEL_WORD)];
  const ownWords = words.filter(([word]) => isOwnWord(word));
  for (const { 0: word, index } of ownWords) {
    isOwn.fill(1, index, index + word.length);
  }

  const parts = [];
  for (let place = 0; place < text.length; place++) {
    const last = parts.at(-1);
    const own1 = isOwn[place] === 1;
    const copied1 = copied[place] === 1;
    if (last?.isOwn === own1 && last.isCopied === copied1) {
      last.text += text[place];
    } else {
      parts.push({ text: text[place], isOwn: own1, isCopied: copied1 });
    }
  }
  return {
    parts,
    words: words.length,
    ownWords: ownWords.length,
    runs,
    copiedRuns,
  };
}
