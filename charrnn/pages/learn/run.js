/* The run: the worker learns, and is asked now and then what the network makes of the text. */
import { grouped } from "../shared/numbers.js";
import { setCharacters, textOf } from "../shared/shown.js";
import { ask, byId, showNote } from "../shared/view.js";
import { draft, FREE, network, setNetwork } from "./network.js";
import { clearPassage, colourPassage, showPassage, showRead } from "./passage.js";
import { beginProgress, mayLose, showReport } from "./progress.js";
import { showKept } from "./saving.js";
import { chosenSizes, seed, showSizes, USUAL_RATE, useNextSeed, useRate } from "./settings.js";
import { chooseSource, chosen } from "./sources.js";
import { addLook, clearTimeline, cutTimeline, timeline } from "./timeline.js";
import { beginTracking, clearTracked, showHeld, showTracked } from "./tracking.js";

const LEAST_PAUSE = 700; // milliseconds from the end of a look to the next, while it learns

/** The number of the choice of a text, and of the choice for which the worker was asked to begin; the sizes of the network,
 * whether it learns, and from when on it may be looked at again: at no time while a look is under way. */
const run = { choice: 0, begun: 0, sizes: null, isRunning: false, nextLook: Infinity };

/** Take a text, and perhaps a network in a file that goes on with it. The worker gets them when Start is pressed. */
export function choose(source, file = chosen.file) {
  run.choice++;
  run.sizes = chosenSizes();
  setNetwork(null);
  clearTimeline();
  pause();
  chooseSource(source, file);

  // What was shown of another network.
  clearTracked();
  colourPassage("surprise");
  showNote("note", "");
  showKept();
}

/** Start, or pause and show the network as it is now. */
export function startOrPause() {
  if (run.isRunning) {
    pause();
    lookNow();
  } else {
    learn();
  }
}

/** Start again with the same text and other random numbers. */
export function startAgain() {
  if (mayLose()) {
    choose(chosen.source);
    useNextSeed();
    learn();
  }
}

/** Choose the same text for a new network of the sizes in the fields, unless what was learned must not be lost. */
export function useSizes() {
  if (!mayLose()) {
    showSizes(run.sizes);
    return;
  }
  // The network in a file has other sizes, so it is not used any more, nor its gentle rate.
  if (chosen.file !== null) {
    useRate(USUAL_RATE);
  }
  choose(chosen.source, null);
}

/** Have the worker make the network, out of the way of which the box of the text closes. Then look at it, and learn unless Pause was pressed. */
function begin() {
  const { source, file } = chosen;
  const { choice, sizes } = run;
  run.begun = choice;
  byId("own").open = false;
  clearTimeline();
  clearPassage();
  beginProgress();
  beginTracking();
  byId("said").textContent = "The network is being made.";

  // The worker takes the first one that the browser can compile.
  const kernels = ["fused", "kernel"].map((id) => byId(id).textContent);
  const message = { text: source.text, sizes, seed, goesOn: file !== null, kernels };
  ask("begin", message, ({ refused, ...description }) => {
    const isOfAnotherText = run.choice !== choice;
    if (isOfAnotherText) {
      return;
    }
    if (refused) {
      // It is the same choice as before, but as a new one it can be begun again.
      choose(source);
      showNote("note", refused);
      return;
    }

    setNetwork(description);
    setCharacters(description.chars);
    byId("text-note").textContent += ` ${description.note}`;
    showPassage(description);
    lookNow();
    if (run.isRunning) {
      learn();
    }
  });
}

/** Have the worker learn until it is stopped. If there is no network yet, it is made first. */
function learn() {
  setRunning(true);
  showNote("note", "");
  if (network === null) {
    const isBegun = run.begun === run.choice;
    if (!isBegun) {
      begin();
    }
    return;
  }

  // This is called for each report, until the worker is stopped or the training diverges.
  ask("learn", {}, ({ diverged: bestStep, ...report }) => {
    if (network === null) {
      return;
    }
    if (bestStep !== undefined) {
      goBackTo(bestStep);
      return;
    }
    showReport(report);
    if (performance.now() > run.nextLook) {
      lookNow();
    }
  });
}

/** The training diverged, and the worker has gone back to its best step. */
function goBackTo(step) {
  pause();
  showNote(
    "note",
    "It diverged: at this rate, each step leads further away. " +
      `It is back at its best step, ${grouped(step)}. Choose a smaller rate.`,
  );
  cutTimeline(step);
  lookNow();
}

function pause() {
  setRunning(false);
  ask("stop", { of: "learn" });
}

function setRunning(isRunning) {
  run.isRunning = isRunning;
  byId("said").ariaLive = isRunning ? "off" : "polite"; // nobody wants to hear it four times a second
  byId("start").textContent = labelOfStart(isRunning);
}

function labelOfStart(isRunning) {
  if (isRunning) {
    return "Pause";
  }
  return network === null ? "Start" : "Go on";
}

/** Have the network read the passage, show what it makes of it, and have it write. */
function lookNow() {
  const looked = network;
  if (looked === null) {
    return;
  }

  // `read` and `held` are losses: of what was learned in the last steps, and of what is held out.
  const began = performance.now();
  run.nextLook = Infinity;
  ask("look", {}, ({ properties, updates, seconds, read, held, isBest, ...answer }) => {
    if (network !== looked) {
      return;
    }
    showRead(answer);
    showTracked(properties, updates, seconds);
    writeForLook({ updates, read, held }, isBest);

    // Where a look takes long, no more than half of the time is spent on looks.
    const now = performance.now();
    run.nextLook = now + Math.max(LEAST_PAUSE, now - began);
  });
}

/** Have the network write, and show the look with this text in the timeline. */
function writeForLook(look, isBest) {
  draft("write", FREE, ({ ids }) => {
    addLook({ ...look, text: textOf(ids) }, isBest);
    showKept();
    showHeld();
  });
}

/** Have the network write anew what belongs to the newest look, if there is one. Which look is the best stays. */
export function rewriteNewest() {
  if (network !== null && timeline.best !== null) {
    writeForLook(timeline.looks.at(-1), false);
  }
}
