/* Characters and numbers as the page shows them. Pure functions. */

const SYMBOLS = { "\n": "\u21b5", "\t": "\u21e5", " ": "\u2423", "\u007f": "\u2421" };
const NAMES = { "\n": "line end", "\t": "tab", " ": "space" };
const MOST_CHARACTERS = 20000; // that are read of a text: what is known of each takes some 2 KB
const MOST_NAMED = 8; // characters that the network does not know

/** Return something visible, of about one character's width, for any character that stands alone. */
export function glyph(char) {
  return Object.hasOwn(SYMBOLS, char)
    ? SYMBOLS[char]
    : /^[\p{C}\p{Zl}\p{Zp}]$/u.test(char)
      ? shownControl(char)
      : /^\p{M}$/u.test(char)
        ? `\u25cc${char}`
        : char;
}

function shownControl(char) {
  const code = char.codePointAt(0);
  return code < 32 ? String.fromCodePoint(0x2400 + code) : "\ufffd"; // the control pictures
}

/** Return a text with symbols for controls, lone surrogates and what changes the direction of a text. All else is as it
 * is, so that letters join and marks stand on their letters. */
export function visible(text) {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufeff]/gu, shownControl);
}

/** Return what a person would call a character. */
export function nameOf(char) {
  const code = char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return Object.hasOwn(NAMES, char)
    ? NAMES[char]
    : /^[\p{C}\p{Z}\p{M}]$/u.test(char)
      ? `U+${code}`
      : char;
}

/** Return a share in [0, 1] as a percentage, short enough for a column. */
export function percent(share) {
  return share === 1
    ? "100%"
    : share >= 0.995
      ? ">99%"
      : share > 0 && share < 0.005
        ? "<1%"
        : `${Math.round(100 * share)}%`;
}

/** Return a number as people write it, 1,234. */
export function grouped(number) {
  return Math.round(number)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Return a number with its sign, and two decimals. */
export function signed(number) {
  return `${number < 0 ? "\u2212" : "+"}${Math.abs(number).toFixed(2)}`;
}

/** Return a number of things: 1 character, 2 characters. */
export function counted(number, thing) {
  return `${grouped(number)} ${thing}${number === 1 ? "" : "s"}`;
}

/** Turn a text into ids. A character that the vocabulary lacks is replaced with the nearest one, or left out.
 * @param {Map<string, number>} places from each character of the vocabulary to its id
 * @param {Object<string, string>} nearest from a character that the vocabulary lacks to characters that it has
 * @returns {{ids: number[], note: string}} of at most MOST_CHARACTERS; the note says what was replaced and left out, ""
 *   for nothing */
export function encode(text, places, nearest) {
  const ids = [];
  const changes = new Set();
  const characters = Array.from(text.replace(/\r\n?/g, "\n")); // none is cut
  for (const char of characters.slice(0, MOST_CHARACTERS)) {
    const known = places.has(char) ? char : Object.hasOwn(nearest, char) ? nearest[char] : "";
    ids.push(...Array.from(known, (each) => places.get(each)));
    if (known !== char) {
      changes.add(
        `${glyph(char)} ${known ? `became ${Array.from(known, glyph).join("")}` : "was left out"}`,
      );
    }
  }
  const named = [...changes].slice(0, MOST_NAMED).join(", ");
  const more = changes.size > MOST_NAMED ? ` and ${changes.size - MOST_NAMED} more` : "";
  const notes = [
    named && `The network never saw some characters: ${named}${more}.`,
    characters.length > MOST_CHARACTERS &&
      `Only the first ${grouped(MOST_CHARACTERS)} characters are read.`,
  ];
  return { ids, note: notes.filter(Boolean).join(" ") };
}

const UNSPACED =
  "\\p{sc=Han}|\\p{sc=Hira}|\\p{sc=Kana}|\\p{sc=Thai}|\\p{sc=Laoo}|\\p{sc=Khmr}|\\p{sc=Mymr}|\\p{sc=Tibt}";
const LETTERS = `(?!${UNSPACED})\\p{L}(?:(?!${UNSPACED})[\\p{L}\\p{M}\u200c\u200d])*`;

/** Return the word that the end of a text may cut; "" after a space or a sign. */
export function cutWord(text) {
  return new RegExp(`(?:(?!${UNSPACED})[\\p{L}\\p{M}\u200c\u200d'\u2019])*$`, "u").exec(text)[0];
}

/** Return the words of a text as words() of charrnn/inspection/features.py does: [{index, 0: word}]. One that the end of
 * the text may cut is left out. */
export function wordsOf(text) {
  const found = [
    ...text.matchAll(new RegExp(`${LETTERS}(?:['\u2019]${LETTERS})*|${UNSPACED}`, "gu")),
  ];
  return found.filter((word) => word.index + word[0].length < text.length);
}

/** Return the parts of a unit's name, "2/c/317", counted from 1: {layer, part, unit}. */
export function parseUnit(name) {
  const [layer, part, unit] = name.split("/");
  return { layer: Number(layer), part, unit: Number(unit) };
}

/** Return the name of the unit at a place among the activations of a character: for each layer those of c, then of h. */
export function unitName(offset, lstmSize) {
  const part = Math.floor(offset / lstmSize);
  return `${1 + Math.floor(part / 2)}/${part % 2 ? "h" : "c"}/${1 + (offset % lstmSize)}`;
}

/** Return what a person would call a unit, with its name: memory cell 317 in layer 2 (2/c/317). */
export function unitTitle(name) {
  const { layer, part, unit } = parseUnit(name);
  return `${part === "c" ? "memory cell" : "output of cell"} ${unit} in layer ${layer} (${name})`;
}

/** Return a value in a range as -1 for the least, 1 for the most; 0 where the range is too small for a meaning. */
export function scaled(value, [least, most]) {
  return most - least < 0.02 ? 0 : (2 * (value - least)) / (most - least) - 1;
}
