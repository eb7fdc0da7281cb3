/* What surprises the network: a passage of the text, coloured by what is known of each character. */
import { counted, grouped } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { recordsOf } from "../shared/shown.js";
import { byId } from "../shared/view.js";

const passagePaper = new Paper("passage", "surprise");
let records = []; // what is known of each character, see recordsOf

/** Show the passage that is looked at, and say what it is.
 * @param {{passage: number[], heldFrom: number, heldOut: number}} network the ids, from which place on they are held
 *   out, and how many characters of the text are */
export function showPassage({ passage, heldFrom, heldOut }) {
  byId("passage-said").textContent = describePassage(passage.length, heldFrom, heldOut);
  passagePaper.show({
    ids: passage,
    start: heldFrom,
    recordAt: (place) => records[place],
    inWorker: () => ({ key: "passage" }),
  });
}

function describePassage(length, heldFrom, heldOut) {
  const characters = counted(heldOut, "character");
  if (heldFrom > 0) {
    return (
      "This is the end of the text. What is underlined it has practised; " +
      `the last ${characters} it has never seen.`
    );
  }
  let these = "These are they.";
  if (length < heldOut) {
    these = `These are the first ${grouped(length)} of them.`;
  }
  return `It never learns the last tenth of the text, ${characters}. ${these}`;
}

/** Forget what was known of the passage. */
export function clearPassage() {
  records = [];
}

/** Colour the passage by what the network makes of it now. */
export function showRead(answer) {
  records = recordsOf(answer);
  passagePaper.recolour();
}

/** Colour the passage by how surprising each letter is, or by the number that is watched. */
export function colourPassage(colour) {
  document.querySelector(`[value=${colour}]`).checked = true;
  passagePaper.colour = colour;
  passagePaper.recolour();
}
