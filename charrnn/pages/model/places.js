/* Where what is watched is highest in the passage that the page has, for a reader who asks: a line for each place. */
import { grouped } from "../shared/numbers.js";
import { textOf, watched } from "../shared/shown.js";
import { visible } from "../shared/text.js";
import { byId, make, onClick } from "../shared/view.js";
import { data } from "./model.js";
import { passage } from "./read.js";

const MOST = 5;
const APART = 25; // characters between two places, at least
const AROUND = 35; // characters that are shown before a place, and after it

/** Return the places, the highest first, of which none is near another. */
function highest({ seen }, offset) {
  const places = Array.from(seen.keys());
  places.sort((a, b) => seen[b].activations[offset] - seen[a].activations[offset]);
  const chosen = [];
  for (const place of places) {
    const isFar = chosen.every((other) => Math.abs(other - place) >= APART);
    if (isFar && chosen.length < MOST) {
      chosen.push(place);
    }
  }
  return chosen;
}

function lineAt(place) {
  const { ids } = passage;
  const shown = (from, to) => visible(textOf(ids.slice(Math.max(0, from), to))).replace(/\s/g, " ");
  return make(
    "li",
    "",
    make("span", "small", `letter ${grouped(place + 1)}: `),
    shown(place - AROUND, place),
    make("b", "key of-high", shown(place, place + 1)),
    shown(place + 1, place + AROUND),
  );
}

function showPlaces() {
  byId("places-said").textContent =
    `Where “${watched.feature ?? watched.unit}” is highest in a passage of ${data.source}, ` +
    `${grouped(passage.known)} letters long:`;
  byId("places").replaceChildren(...highest(passage, watched.offset).map(lineAt));
  byId("places-box").hidden = false;
}

export function startPlaces() {
  onClick("where", showPlaces);
  // Of something else, one asks anew.
  document.body.addEventListener("watchedchange", () => {
    byId("places-box").hidden = true;
  });
}
