/* The words of a text, also in scripts that have no spaces between them. Pure functions. */

const UNSPACED =
  "\\p{sc=Han}|\\p{sc=Hira}|\\p{sc=Kana}|\\p{sc=Thai}|\\p{sc=Laoo}|\\p{sc=Khmr}|\\p{sc=Mymr}|\\p{sc=Tibt}";
const LETTERS = `(?!${UNSPACED})\\p{L}(?:(?!${UNSPACED})[\\p{L}\\p{M}\u200c\u200d])*`;
const WORD = `${LETTERS}(?:['\u2019]${LETTERS})*|${UNSPACED}`;
const INSIDE_WORD = `(?!${UNSPACED})[\\p{L}\\p{M}\u200c\u200d'\u2019]`;

/** Return the word that the end of a text may cut; "" after a space or a sign. */
export function cutWord(text) {
  const [word] = new RegExp(`(?:${INSIDE_WORD})*$`, "u").exec(text);
  return word;
}

/** Return whether a word may go on after a character: a letter, or an apostrophe. In a script without spaces, each letter is a
 * word. */
export function isInsideWord(char) {
  return new RegExp(`^${INSIDE_WORD}$`, "u").test(char);
}

/** Return the words of a text as words() of charrnn/text/features.py does: [{index, 0: word}]. One that the end of
 * the text may cut is left out. */
export function wordsOf(text) {
  const matches = [...text.matchAll(new RegExp(WORD, "gu"))];
  return matches.filter((match) => match.index + match[0].length < text.length);
}
