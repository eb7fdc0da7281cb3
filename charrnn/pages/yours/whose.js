/* Whose words a text has, and what it copies: charrnn/text/novelty.py. Pure functions. */
import { COPIED, READ_WORD } from "../shared/judge.js";

/** Return a text in parts, {text, isOwn, isCopied}, how many of its words are own, and how many of its runs are copied.
 * @param {Reader} reader of the text that was learned */
export function marked(text, reader) {
  const characters = Array.from(text);
  const runs = reader.copiedRuns(characters);
  const isCopied = new Uint8Array(characters.length);
  for (const [from, isCopiedRun] of runs.entries()) {
    if (isCopiedRun) {
      isCopied.fill(1, from, from + COPIED);
    }
  }

  const isOwn = new Uint8Array(text.length); // by UTF-16, in which a character may have two places
  const words = [...text.matchAll(READ_WORD)];
  const ownWords = words.filter(([word]) => reader.isOwn(word));
  for (const { 0: word, index } of ownWords) {
    isOwn.fill(1, index, index + word.length);
  }

  const parts = [];
  let at = 0;
  for (const [place, char] of characters.entries()) {
    const part = { text: char, isOwn: isOwn[at] === 1, isCopied: isCopied[place] === 1 };
    at += char.length;
    const last = parts.at(-1);
    if (last?.isOwn === part.isOwn && last.isCopied === part.isCopied) {
      last.text += char;
    } else {
      parts.push(part);
    }
  }
  return {
    parts,
    words: words.length,
    ownWords: ownWords.length,
    runs: runs.length,
    copiedRuns: runs.filter(Boolean).length,
  };
}
