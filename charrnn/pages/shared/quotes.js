/* Quotation marks while a direction is held: charrnn/engines/quotes.py. A network that is held inside of them would close them
 * again and again, and open none. */

const QUOTATION = "inside quotation marks"; // the property, in charrnn/text/features.py
const APOSTROPHE_LIKE = "'‘’‚‛";
const FAMILIES = ['"“”„‟＂', "«»", APOSTROPHE_LIKE, "‹›", "「」", "『』", "〝〞〟", "｢｣"];
const BEFORE_CLOSING = ".,;:!?…";
const HELD_INSIDE = 0.5; // of the way from outside; below it, a direction is held outside

function isOfWord(char) {
  return /[\p{L}\p{N}]/u.test(char);
}

/** Return the quotation marks that open and close each other, of which a character is one; undefined if it is none. */
function familyOf(char) {
  return FAMILIES.find((family) => family.includes(char));
}

/** Return whether a quotation mark closes after a character; "" is the beginning of a text. */
function isBeforeClosing(char) {
  return char !== "" && (isOfWord(char) || BEFORE_CLOSING.includes(char));
}

/** Return the families of quotation marks that are open at the end of a paragraph, a list of characters. */
function openFamilies(paragraph) {
  const open = new Set();
  for (const [place, char] of paragraph.entries()) {
    const family = familyOf(char);
    const before = paragraph[place - 1] ?? "";
    const after = paragraph[place + 1] ?? "";
    const isApostrophe = family === APOSTROPHE_LIKE && isOfWord(before) && isOfWord(after);
    if (family === undefined || isApostrophe) {
      continue;
    }
    if (open.has(family) && !/\s/u.test(before)) {
      open.delete(family);
    } else if (!isBeforeClosing(before)) {
      open.add(family);
    }
  }
  return open;
}

/** Return which of the characters may follow a text while a direction is held at a value: none that closes a quotation that
 * the paragraph has not opened, and none that opens one where that is held outside. */
export function mayFollow(chars, text, { direction, value }) {
  const paragraph = Array.from(text.slice(text.lastIndexOf("\n\n") + 1));
  const last = paragraph.at(-1) ?? "";
  const open = openFamilies(paragraph);
  const isHeldOutside = direction === QUOTATION && value < HELD_INSIDE;
  const mayOpen = !isHeldOutside && !isBeforeClosing(last);
  return chars.map((char) => {
    const family = familyOf(char);
    const isApostrophe = family === APOSTROPHE_LIKE && isOfWord(last);
    return family === undefined || open.has(family) || mayOpen || isApostrophe;
  });
}
