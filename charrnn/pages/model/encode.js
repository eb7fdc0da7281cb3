/* A text as ids of the model's characters. A pure function. */
import { grouped } from "../shared/numbers.js";
import { signOf } from "../shared/text.js";

const MOST_CHARACTERS = 20000; // that are read of a text: what is known of each takes some 2 KB
const MOST_NAMED = 8; // characters that the network does not know
const LEAST_KNOWN = 0.5; // of a text, or it is another one without the rest

/** Turn a text into ids. A character that the vocabulary lacks is replaced with the nearest one, or left out.
 * @param {Map<string, number>} places from each character of the vocabulary to its id
 * @param {Object<string, string>} nearest from a character that the vocabulary lacks to characters that it has
 * @returns {{ids: number[], note: string}} of at most MOST_CHARACTERS, and none if most are unknown; the note says what was
 *   replaced and left out, "" for nothing */
export function encode(text, places, nearest) {
  const ids = [];
  const changes = new Set();
  const known = []; // characters, or what they became
  const characters = Array.from(text.replace(/\r\n?/g, "\n")); // none is cut
  const looked = characters.slice(0, MOST_CHARACTERS);
  for (const char of looked) {
    if (places.has(char)) {
      ids.push(places.get(char));
      known.push(char);
    } else if (Object.hasOwn(nearest, char)) {
      const replacement = Array.from(nearest[char]);
      ids.push(...replacement.map((other) => places.get(other)));
      known.push(char);
      changes.add(`${signOf(char)} became ${replacement.map(signOf).join("")}`);
    } else {
      changes.add(`${signOf(char)} was left out`);
    }
  }
  if (known.length < LEAST_KNOWN * looked.length) {
    return { ids: [], note: describeUnknown(known) };
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

/** Say which characters of a text are known, of which there are too few. */
function describeUnknown(known) {
  const signs = [...new Set(known)].map(signOf);
  if (signs.length === 0) {
    return "The network knows none of these characters.";
  }
  const named = signs.slice(0, MOST_NAMED).join(" ");
  return `The network knows too few of these characters to read them: only ${named}`;
}

function describeChanges(changes) {
  const named = changes.slice(0, MOST_NAMED).join(", ");
  let more = "";
  if (changes.length > MOST_NAMED) {
    more = ` and ${changes.length - MOST_NAMED} more`;
  }
  return `The network never saw some characters: ${named}${more}.`;
}
