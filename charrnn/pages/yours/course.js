/* The state of the page of a text of one's own, and the functions that change it: a text is chosen, then it is learned, then
 * the network writes. Then the page is drawn, by `draw` in yours.js. */
import { change, state } from "../shared/change.js";
import { setCharacters } from "../shared/shown.js";
import { ask, byId } from "../shared/view.js";
import { asLearned, materialOf, trainingPart } from "./material.js";
import { ruleFor } from "./rule.js";

/** What the page holds, see charrnn/pages/yours.py. */
export const data = JSON.parse(byId("data").textContent);

/** The frequent words of the language, or, of a network that has none with it, of what it has read. */
export const frequentWords = JSON.parse(byId("words").textContent);

const MOST_PIECES = 40;
const POINTS = 200; // of a curve
const SECONDS_OF_UPDATE = 0.3; // before one was measured

const NOTHING_LEARNED = {
  update: 0, // updates that were made
  total: 0, // of so many
  seconds: 0, // in which they were made
  losses: [], // {update, loss} of what it reads, in nats
  heldOut: [], // {update, loss} of what it never reads
  pieces: [], // ids of what it wrote, the newest first
  model: null, // the network that was learned, as a page holds it
  chars: [], // its characters
  beginnings: [], // of texts
  about: null, // what its file says of itself
};

Object.assign(state, {
  stage: "choosing", // or learning, resting (learning was stopped), learned
  text: "", // as it was given
  name: "", // that of its file
  learnedText: "", // what of it is learned; "" in a page that was saved without it
  ...NOTHING_LEARNED,
});

/** Take a text. */
export function takeText(text, name = "my text") {
  change({ text, name });
}

/** Begin to learn the text. */
export async function beginCourse() {
  const { text } = asLearned(state.text, data.most);
  const rule = ruleFor(data.rule, Array.from(text).length);
  const { chars, ids, edge, beginnings } = materialOf(text, rule.val_fraction);
  setCharacters(chars);
  const about = await aboutOf(rule, chars, beginnings);
  change({
    ...NOTHING_LEARNED,
    stage: "learning",
    learnedText: text,
    chars,
    beginnings,
    about,
    total: rule.epochs * Math.floor(edge / (rule.batch_size * rule.num_steps)),
  });
  byId("course-said").focus({ preventScroll: true });
  const training = trainingPart(text, rule.val_fraction);
  ask("begin", { chars, ids, edge, training, rule, seed: 0 }, ({ total }) => {
    change({ total });
    learnOn();
  });
}

/** Return what a file of the network that is learned says of itself, see charrnn/checkpoints/record.py. */
async function aboutOf(rule, chars, beginnings) {
  const { about } = data;
  const bytes = new TextEncoder().encode(state.text);
  // A page that is neither from disk nor by https cannot compute it. Nor does it save a file that would have it.
  const digest = new Uint8Array((await crypto.subtle?.digest("SHA-256", bytes)) ?? 0);
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return {
    ...about,
    hyperparameters: { ...about.hyperparameters, ...rule },
    vocabulary: chars.join(""),
    beginning: beginnings[0],
    text: { ...about.text, name: state.name, sha256 },
  };
}

/** Return the ids of a beginning, of the characters that are known. */
export function primeOf(beginning) {
  const ids = Array.from(beginning, (char) => state.chars.indexOf(char));
  return ids.filter((id) => id >= 0);
}

/** Have the worker learn until the end, or until it is stopped. */
export function learnOn() {
  change({ stage: "learning" });
  const prime = primeOf(state.beginnings[0]);
  const { writing } = data;
  ask("learn", { prime, writing }, ({ update, total, seconds, loss, held, piece, model }) => {
    const { losses, heldOut, pieces } = state;
    const isPoint = losses.length === 0 || update - losses.at(-1).update >= total / POINTS;
    const changes = { update, total, seconds };
    if (isPoint) {
      changes.losses = [...losses, { update, loss }];
    }
    if (held) {
      changes.heldOut = [...heldOut, { update, loss: held }];
    }
    if (piece) {
      changes.pieces = [{ ids: piece, start: prime.length }, ...pieces].slice(0, MOST_PIECES);
    }
    if (model) {
      Object.assign(changes, { model, stage: "learned" });
    }
    change(changes);
  });
}

/** Stop, and have the network write as it is. */
export function stopCourse() {
  ask("stop", { of: "learn" });
  ask("rest", {}, ({ model }) => change({ model, stage: "resting" }));
}

/** Go back to the choice of a text. */
export function chooseAnother() {
  ask("stop", { of: "learn" });
  change({ ...NOTHING_LEARNED, stage: "choosing" });
}

/** Return how many seconds are left. */
export function secondsLeft() {
  const { update, total, seconds } = state;
  const each = update > 0 ? seconds / update : SECONDS_OF_UPDATE;
  return (total - update) * each;
}
