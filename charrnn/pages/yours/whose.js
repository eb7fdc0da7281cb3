/* Whose words a text has, and what it copies: charrnn/text/novelty.py, on hashes of the text that was learned, so that a page
 * can tell it without the text. Pure functions. */

const NOVEL_WORD = /\p{L}[\p{L}\p{M}\p{N}_'’]+/gu;
const RUN = 20; // characters

/** Return a hash of a text, 32 bits (FNV-1a). */
export function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  }
  return hash >>> 0;
}

/** Return what is known of a text that was learned: {own, windows}, sorted hashes of its words that those of the language are
 * not, and of all its runs of RUN characters. */
export function hashesOf(text, wordsOfLanguage) {
  const others = new Set(wordsOfLanguage);
  const words = (text.toLowerCase().match(NOVEL_WORD) ?? []).filter((word) => !others.has(word));
  const windows = [];
  for (let place = 0; place + RUN <= text.length; place++) {
    windows.push(hashOf(text.slice(place, place + RUN)));
  }
  return { own: sorted(words.map(hashOf)), windows: sorted(windows) };
}

function sorted(hashes) {
  return Uint32Array.from(new Set(hashes)).sort();
}

/** Return a text in parts, {text, isOwn, isCopied}, and the shares of its words that are own, and of its runs that are copied.
 * @param {{own: Set, windows: Set}} known of the text that was learned */
export function marked(text, { own, windows }) {
  const copied = new Uint8Array(text.length);
  let copiedRuns = 0;
  const runs = Math.max(0, text.length - RUN + 1);
  for (let place = 0; place < runs; place++) {
    if (windows.has(hashOf(text.slice(place, place + RUN)))) {
      copied.fill(1, place, place + RUN);
      copiedRuns++;
    }
  }

  const isOwn = new Uint8Array(text.length);
  const words = [...text.matchAll(NOVEL_WORD)];
  const ownWords = words.filter(([word]) => own.has(hashOf(word.toLowerCase())));
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
