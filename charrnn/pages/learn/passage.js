/* What surprises the network: a passage of the text, coloured by what is known of each character. */
import { isNew, state } from "../shared/change.js";
import { counted, grouped } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { showText } from "../shared/view.js";

const passagePaper = new Paper("passage", "surprise");

/** Draw the passage of the newest network, coloured by what that makes of it. */
export function drawPassage() {
  const { network, records, colour } = state;
  if (network !== null && isNew("passage", network)) {
    showText("passage-said", describePassage(network));
    passagePaper.show({
      ids: network.passage,
      start: network.heldFrom,
      recordAt: (place) => state.records[place],
      inWorker: () => ({ key: "passage" }),
    });
  }
  document.querySelector(`[value=${colour}]`).checked = true;
  passagePaper.colourBy(colour);
  if (isNew("records", records)) {
    passagePaper.recolour();
  }
}

/** Say what the passage is: `heldFrom` is the place from which on it is held out, as `heldOut` characters of the text are. */
function describePassage({ passage, heldFrom, heldOut }) {
  const characters = counted(heldOut, "character");
  if (heldFrom > 0) {
    return (
      "This is the end of the text. What is underlined it has practised; " +
      `the last ${characters} it has never seen.`
    );
  }
  let these = "These are they.";
  if (passage.length < heldOut) {
    these = `These are the first ${grouped(passage.length)} of them.`;
  }
  return `It never learns the last tenth of the text, ${characters}. ${these}`;
}
