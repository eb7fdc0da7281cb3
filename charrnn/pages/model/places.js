/* Where what is watched is highest, for a reader who asks: a line for each place. For a discovery of a known work the places
 * were found in all of it when the page was made; otherwise they are those of the passage that the page has. */
import { change, isNew, state } from "../shared/change.js";
import { grouped } from "../shared/numbers.js";
import { textOf } from "../shared/shown.js";
import { visible } from "../shared/text.js";
import { byId, make, onClick, showText } from "../shared/view.js";
import { data } from "./model.js";
import { passage } from "./read.js";

const MOST = 5;
const APART = 25; // characters between two places of the passage, at least
const AROUND = 35; // characters that are shown before a place of the passage, and after it

/** Return the places of the passage, the highest first, of which none is near another: {label, before, char, after}. */
function placesInPassage({ seen, ids }, offset) {
  const places = [...seen.keys()].sort(
    (a, b) => seen[b].activations[offset] - seen[a].activations[offset],
  );
  const chosen = [];
  for (const place of places) {
    const isFar = chosen.every((other) => Math.abs(other - place) >= APART);
    if (isFar && chosen.length < MOST) {
      chosen.push(place);
    }
  }
  return chosen.map((place) => ({
    label: `letter ${grouped(place + 1)}`,
    before: textOf(ids.slice(Math.max(0, place - AROUND), place)),
    char: textOf(ids.slice(place, place + 1)),
    after: textOf(ids.slice(place + 1, place + AROUND)),
  }));
}

/** Return the places of the whole work, as webpage.py has them. */
function placesInWork(places) {
  return places.map((place) => ({ ...place, label: `${(100 * place.share).toFixed(1)}%` }));
}

function lineOfPlace({ label, before, char, after }) {
  const shown = (text) => visible(text).replace(/\s/g, " ");
  return make(
    "li",
    "",
    make("span", "small", `${label}: `),
    shown(before),
    make("b", "key of-high", shown(char)),
    shown(after),
  );
}

/** Draw the places of what is watched, if somebody asked for them. */
export function drawPlaces() {
  const { watched, arePlacesShown } = state;
  byId("places-box").hidden = !arePlacesShown;
  if (arePlacesShown && isNew("places", watched, passage.known)) {
    showPlaces(watched);
  }
}

function showPlaces({ feature, unit, offset, places }) {
  let where = `in a passage of ${data.source}, ${grouped(passage.known)} letters long`;
  let found = placesInPassage(passage, offset);
  if (places) {
    const { name, letters } = data.work;
    where = `in all ${grouped(letters)} letters of ${name}, with the share of the text before it`;
    found = placesInWork(places);
  }
  showText("places-said", `Where “${feature ?? unit}” is highest ${where}:`);
  byId("places").replaceChildren(...found.map(lineOfPlace));
}

export function startPlaces() {
  onClick("where", () => change({ arePlacesShown: true }));
}
