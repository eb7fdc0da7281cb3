/* Characters, and the names of units and of their ends, as the pages show them. Pure functions. */

const SYMBOLS = { "\n": "\u21b5", "\t": "\u21e5", " ": "\u2423", "\u007f": "\u2421" };
const NAMES = { "\n": "line end", "\t": "tab", " ": "space", "\u200d": "a joiner" };
const CONTROL_PICTURES = 0x2400; // in the order of the control characters
const REPLACEMENT = "\ufffd";
const DOTTED_CIRCLE = "\u25cc";
const CLEAR = 0.7; // a correlation, as in charrnn/inspection/units.py

/** Return something visible, of about one character's width, for any character that stands alone. */
export function glyph(char) {
  if (Object.hasOwn(SYMBOLS, char)) {
    return SYMBOLS[char];
  }
  if (/^[\p{C}\p{Zl}\p{Zp}]$/u.test(char)) {
    return shownControl(char);
  }
  if (/^\p{M}$/u.test(char)) {
    return DOTTED_CIRCLE + char;
  }
  return char;
}

function shownControl(char) {
  const code = char.codePointAt(0);
  return code < 32 ? String.fromCodePoint(CONTROL_PICTURES + code) : REPLACEMENT;
}

/** Return a text with symbols for controls, lone surrogates and what changes the direction of a text. All else is as it
 * is, so that letters join and marks stand on their letters. */
export function visible(text) {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufeff]/gu, shownControl);
}

/** Return a sign for a character in a sentence, or what a person would call it where it has none of its own. */
export function signOf(char) {
  const sign = glyph(char);
  return sign === REPLACEMENT ? nameOf(char) : sign;
}

/** Return what a person would call a character. */
export function nameOf(char) {
  if (Object.hasOwn(NAMES, char)) {
    return NAMES[char];
  }
  if (/^[\p{C}\p{Z}\p{M}]$/u.test(char)) {
    const code = char.codePointAt(0).toString(16).toUpperCase();
    return `U+${code.padStart(4, "0")}`;
  }
  return char;
}

/** Return the parts of a unit's name, "2/c/317", counted from 1: {layer, part, unit}. */
export function parseUnit(name) {
  const [layer, part, unit] = name.split("/");
  return { layer: Number(layer), part, unit: Number(unit) };
}

/** Return the name of the unit at a place among the activations of a character: for each layer those of c, then of h. */
export function unitName(offset, lstmSize) {
  const half = Math.floor(offset / lstmSize);
  const layer = 1 + Math.floor(half / 2);
  const part = half % 2 === 0 ? "c" : "h";
  const unit = 1 + (offset % lstmSize);
  return `${layer}/${part}/${unit}`;
}

/** Return what a person would call a unit, with its name: memory cell 317 in layer 2 (2/c/317). */
export function unitTitle(name) {
  const { layer, part, unit } = parseUnit(name);
  const kind = part === "c" ? "memory cell" : "output of cell";
  return `${kind} ${unit} in layer ${layer} (${name})`;
}

/** Return names for the low and the high end of a unit that tracks something: the least and the most of that, where the
 * unit tracks it clearly. */
export function namesOfEnds([least, most], correlation) {
  if (Math.abs(correlation) < CLEAR) {
    return ["low", "high"];
  }
  return correlation < 0 ? [most, least] : [least, most];
}
