/* The network that learns, as the page knows it, and what it writes. */
import { chars } from "../shared/shown.js";
import { endWithWord, writeText } from "../shared/writing.js";
import { chosenTemperature, seed } from "./settings.js";

export const FREE = { unit: null, value: null }; // no unit is held
const WRITTEN = 220; // characters
let drafts = 0;

/** What the worker said of the network when it was made, see `begin` in learner.js, or null. */
export let network = null;

export function setNetwork(description) {
  network = description;
}

/** Have the network go on from its beginning, with a unit held or none, and show the text when it is done.
 * The beginning and the random numbers are always the same.
 * @param {string} of kind of the job for the worker
 * @param {{unit: ?string, value: ?number}} held */
export function draft(of, held, show) {
  const writer = network;
  const { beginning } = writer;
  const settings = { temperature: chosenTemperature(), topN: chars.length, topP: 1 };
  drafts++;
  const text = {
    of,
    number: drafts,
    ids: [...beginning],
    start: beginning.length,
    seen: [],
    seed,
    plan: [{ at: 0, ...settings, ...held }],
    length: WRITTEN,
  };

  writeText(text, {}, (last) => {
    if (last && network === writer) {
      endWithWord(text);
      show(text);
    }
  });
}
