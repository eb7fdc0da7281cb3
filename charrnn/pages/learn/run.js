/* The run: the worker learns, and is asked now and then what the network makes of the text. */
import { change, state } from "../shared/change.js";
import { grouped } from "../shared/numbers.js";
import { recordsOf, setCharacters, textOf } from "../shared/shown.js";
import { ask, byId, showNote } from "../shared/view.js";
import { endWithWord, newText, writeText } from "../shared/writing.js";
import { addLook, choose, cutLooks, FREE, hasRisenAsLong, track } from "./learning.js";
import { mayLose } from "./progress.js";
import { chosenTemperature, showSizes, USUAL_RATE, useRate } from "./settings.js";
import { own } from "./sources.js";

const LEAST_PAUSE = 700; // milliseconds from the end of a look to the next, while it learns
const WRITTEN = 220; // characters
let returns = 0; // how often the network has gone back

/** Start, or pause and show the network as it is now. */
export function startOrPause() {
  if (state.isRunning) {
    pause();
    lookNow();
  } else {
    learn();
  }
}

/** Start again with the same text and other random numbers. */
export function startAgain() {
  if (mayLose()) {
    choose(state.source);
    state.seed++;
    learn();
  }
}

/** Choose the same text for a new network of the sizes in the fields, unless what was learned must not be lost. */
export function useSizes() {
  if (!mayLose()) {
    showSizes(state.sizes);
    return;
  }
  // The network in a file has other sizes, so it is not used any more, nor its gentle rate.
  if (state.file !== null) {
    useRate(USUAL_RATE);
  }
  choose(state.source, null);
}

/** Have the worker make the network. Then look at it, and learn unless Pause was pressed. */
function begin() {
  const { source, file, choice, sizes, seed } = state;
  change({ begun: choice, records: [] });

  // The worker takes the first one that the browser can compile.
  const kernels = ["fused", "kernel"].map((id) => byId(id).textContent);
  const message = { text: source.text, sizes, seed, goesOn: file !== null, kernels };
  ask("begin", message, ({ refused, ...network }) => {
    if (state.choice !== choice) {
      return; // it is of another text
    }
    if (refused) {
      // It is the same choice as before, but as a new one it can be begun again.
      choose(source);
      showNote("note", refused);
      return;
    }

    setCharacters(network.chars);
    change({ network });
    lookNow();
    if (state.isRunning) {
      learn();
    }
  });
}

/** Have the worker learn until it is stopped. If there is no network yet, it is made first. */
function learn() {
  change({ isRunning: true });
  showNote("note", "");
  if (state.network === null) {
    if (state.begun !== state.choice) {
      begin();
    }
    return;
  }

  // This is called for each report, until the worker is stopped or the training diverges.
  ask("learn", {}, ({ diverged: bestStep, ...report }) => {
    if (state.network === null) {
      return;
    }
    if (bestStep !== undefined) {
      goBackTo(
        bestStep,
        "It diverged: at this rate, each step leads further away. " +
          `It is back at its best step, ${grouped(bestStep)}. Choose a smaller rate.`,
      );
      return;
    }
    change(report);
    if (performance.now() > state.nextLook) {
      lookNow();
    }
  });
}

/** The worker has gone back to its best step, for a reason. */
function goBackTo(step, reason) {
  returns++;
  pause();
  showNote("note", reason);
  cutLooks(step);
  lookNow();
}

/** End a text of the reader's own at its best step. */
function endAtBest() {
  pause();
  ask("back", {}, (progress) => {
    const { updates } = progress;
    change(progress);
    goBackTo(
      updates,
      `It has ended by itself: from step ${grouped(updates)} on, it guessed the last tenth of the text worse, for as long as ` +
        "it had guessed it better. It is back at this step, which is its best.",
    );
  });
}

function pause() {
  ask("stop", { of: "learn" });
  change({ isRunning: false });
}

/** Have the network read the passage, show what it makes of it, and have it write. */
function lookNow() {
  const { network } = state;
  if (network === null) {
    return;
  }

  // `read` and `held` are losses: of what was learned in the last steps, and of what is held out.
  const began = performance.now();
  state.nextLook = Infinity;
  const finds = !state.isRunning;
  ask(
    "look",
    { finds },
    ({ properties, untrained, updates, seconds, read, held, isBest, ...answer }) => {
      if (state.network !== network) {
        return;
      }
      change({ records: recordsOf(answer) });
      track(properties, untrained, { updates, seconds });
      writeForLook({ updates, read, held }, isBest);
      if (state.isRunning && state.source === own && !isBest && hasRisenAsLong()) {
        endAtBest();
      }

      // Where a look takes long, no more than half of the time is spent on looks.
      const now = performance.now();
      state.nextLook = now + Math.max(LEAST_PAUSE, now - began);
    },
  );
}

/** Have the network go on from its beginning, with a direction held or none, and show the text when it is done.
 * The beginning and the random numbers are always the same.
 * @param {string} of kind of the job for the worker
 * @param {{direction: ?string, value: ?number}} held */
export function draft(of, held, show) {
  const { network, seed } = state;
  const settings = { temperature: chosenTemperature(), ...held };
  const text = newText(of, network.beginning, { seed, length: WRITTEN, settings });
  writeText(text, {}, (last) => {
    if (last && state.network === network) {
      endWithWord(text);
      show(text);
    }
  });
}

/** Have the network write, and add the look with this text, unless the network goes back before it is written. */
function writeForLook(look, isBest) {
  const before = returns;
  draft("write", FREE, ({ ids }) => {
    if (returns === before) {
      addLook({ ...look, text: textOf(ids) }, isBest);
    }
  });
}

/** Have the network write anew what belongs to the newest look, if there is one. Which look is the best stays. */
export function rewriteNewest() {
  const { best, looks } = state;
  if (best !== null) {
    writeForLook(looks.at(-1), false);
  }
}
