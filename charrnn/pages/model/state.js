/* The state of the page of a model, and the functions that change it. What follows from a change happens here, too: then the
 * page is drawn, by `draw` in page.js. */
import { change, state } from "../shared/change.js";
import { ask, movesLittle, showNote } from "../shared/view.js";
import { newText } from "../shared/writing.js";
import { settings } from "./fields.js";
import { FIRST_BURST, isOfThePage, linkOf, settingsOf, takeOf, USUAL } from "./link.js";
import { data, discoveryOf, knownOf } from "./model.js";

Object.assign(state, {
  takes: [], // all of them: the history of the browser leads from one to another
  take: null, // the one that is shown: its `unit` is watched, and `held` says where the handle is, if that holds it
  isRunning: false, // whether it is being written
  isAsked: false, // whether the reader asked for a text since another number is watched
  moves: 0, // how often the handle was taken
  reading: { ids: [], known: 0, at: 0 }, // what was read or chosen last: the cell and the strip show it
  isYoursShown: false, // whether there is a text of one's own
  yourColour: "surprise",
  isPlaying: false, // whether characters pass through the cell
  isPlayWanted: !movesLittle, // where it is in sight
});

/** Return a take of which nothing is written yet, with the settings of the fields or others. */
export function newTake(prime, seed, unit, chosen = settings()) {
  return {
    ...newText("write", prime, { seed, length: USUAL.length, settings: chosen }),
    prime,
    unit,
    held: null,
  };
}

/** Watch a unit or a direction. A discovery brings the texts that show it, unless the reader or a link chose others. A take
 * that held something else lets it go. */
export function watch(unit) {
  const { take } = state;
  if (take.unit !== unit) {
    const seed = discoveryOf(unit)?.seed ?? take.seed;
    if (seed !== take.seed && isOfThePage(take)) {
      const asBefore = settingsOf(take.plan.at(-1));
      turnTo({ ...newTake(take.prime, seed, unit, asBefore), burst: FIRST_BURST });
      return;
    }
    take.unit = unit;
    take.held = null;
    state.isAsked = false;
  }
  change({ watched: knownOf(unit) });
}

/** Return whether a passage that the network reads is at the top, for a number of which no text tells: until the reader
 * asks for a text. */
export function isOfPassage() {
  return data.discoveries.length > 0 && !state.watched.told && !state.isAsked;
}

/** The handle is taken: words are marked that are others than now. */
export function beginMove() {
  state.moves++;
}

/** Hold the direction that is watched at a position from -1 to 1 between its ends; null lets it go. */
export function hold(position) {
  state.take.held = position;
  change();
}

/** Turn to a new take: an entry of the history. */
export function turnTo(take, way = "pushState") {
  state.takes.push(take);
  turnBackTo(take);
  showAddress(way);
}

/** Turn to a take that the reader asked for. */
export function askFor(take) {
  state.isAsked = true;
  turnTo(take);
}

/** Turn to a take that is there already. One of which only the link is kept is written again. */
function turnBackTo(take) {
  ask("stop", { of: "write" });
  take.number = state.takes.indexOf(take);
  const isRunning = take.seen.length < take.length;
  change({ take, isRunning, watched: knownOf(take.unit) });
}

/** Bring the address in line with the take, and keep all links for when the page is loaded again.
 * @param {string} way "pushState" for a new entry of the history, "replaceState" for the one of now */
export function showAddress(way = "replaceState") {
  const { takes, take } = state;
  const kept = { links: takes.map(linkOf), at: takes.indexOf(take) };
  try {
    history[way](kept, "", `#${linkOf(take)}`);
  } catch {
    // Some frames have no history, and some browsers take few changes: the text is shown all the same.
  }
}

/** Turn to what the address names: a take that was here before, or a new one.
 * @param {?{links: string[], at: number}} kept in the history, see showAddress */
export function turnToAddress(kept = history.state) {
  const { links = [], at = 0 } = kept ?? {};
  if (state.takes.length === 0) {
    // They are written again when they are shown: all at once.
    state.takes = links.map((link) => ({ ...takeOf(link).take, burst: Infinity }));
  }
  if (state.takes[at] && links.length > 0) {
    turnBackTo(state.takes[at]);
    return;
  }

  // Links of earlier pages begin with "write?".
  const isLink = location.hash.includes("prime=");
  const { take, wrong } = takeOf(location.hash.replace(/^#(write\?)?/, ""));
  take.burst = isLink ? Infinity : FIRST_BURST;
  let note = "";
  if (wrong.length > 0) {
    note = `The link has something that this page cannot follow: ${wrong.join(", ")}.`;
  }
  showNote("link-note", note);
  turnTo(take, "replaceState");
}

/** Go to a place of a text that is read, if the network has come as far. */
export function goTo(text, place) {
  if (place < text.known) {
    text.at = place;
  }
  change({ reading: text });
}
