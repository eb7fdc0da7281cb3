/* A text as ids of the model's characters. A pure function. */
import { grouped } from "../shared/numbers.js";
import { glyph } from "../shared/text.js";

const MOST_CHARACTERS = 20000; // that are read of a text: what is known of each takes some 2 KB
const MOST_NAMED = 8; // characters that the network does not know

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
    if (places.has(char)) {
      ids.push(places.get(char));
    } else if (Object.hasOwn(nearest, char)) {
      const replacement = Array.from(nearest[char]);
      ids.push(...replacement.map((known) => places.get(known)));
      changes.add(`${glyph(char)} became ${replacement.map(glyph).join("")}`);
    } else {
      changes.add(`${glyph(char)} was left out`);
    }
  }

  const notes = [];
  if (changes.size > 0) {
    notes.push(describeChanges([...changes]));
  }
  if (characters.length > MOST_CHARACTERS) {
    notes.push(`Only the first ${grouped(MOST_CHARACTERS)} characters are read.`);
  }
  return { ids, note: notes.join(" ") };
}

function describeChanges(changes) {
  const named = changes.slice(0, MOST_NAMED).join(", ");
  let more = "";
  if (changes.length > MOST_NAMED) {
    more = ` and ${changes.length - MOST_NAMED} more`;
  }
  return `The network never saw some characters: ${named}${more}.`;
}
