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

const LOOK = 700; // milliseconds, at least, between two looks

/** How often a text was chosen, the sizes of the network, whether it learns, and when it is looked at again. */
const run = { choices: 0, sizes: null, isRunning: false, nextLook: Infinity };

/** Take a text, and perhaps a network that goes on with it. They are used when Start is pressed. */
export function choose(source, file = chosen.file) {
  run.choices++;
  run.sizes = chosenSizes();
  setNetwork(null);
  clearTimeline();
  pause();
  chooseSource(source, file);

  clearTracked();
  colourPassage("surprise");
  showNote("note", "");
  showKept();
}

/** Start, or pause and show the network as it is now. */
export function startOrPause() {
  if (run.isRunning) {
    pause();
    look();
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

/** Have the next network have the sizes of the fields. It knows nothing. */
export function useSizes() {
  if (!mayLose()) {
    showSizes(run.sizes);
    return;
  }
  if (chosen.file !== null) {
    useRate(USUAL_RATE);
  }
  choose(chosen.source, null);
}

/** Have the worker make the network, look at it, and learn. */
function begin() {
  const { source, file } = chosen;
  const { choices, sizes } = run;
  clearTimeline();
  clearPassage();
  beginProgress();
  beginTracking();
  byId("said").textContent = "The network is made.";

  const kernels = ["fused", "kernel"].map((id) => byId(id).textContent);
  const message = { text: source.text, sizes, seed, goesOn: file !== null, kernels };
  ask("begin", message, ({ refused, ...description }) => {
    const isOfAnotherText = run.choices !== choices;
    if (isOfAnotherText) {
      return;
    }
    if (refused) {
      choose(source);
      showNote("note", refused);
      return;
    }

    setNetwork(description);
    setCharacters(description.chars);
    byId("text-note").textContent += ` ${description.note}`;
    showPassage(description);
    look();
    if (run.isRunning) {
      learn();
    }
  });
}

function learn() {
  setRunning(true);
  showNote("note", "");
  if (network === null) {
    begin();
    return;
  }
  ask("learn", {}, ({ diverged, ...report }) => {
    if (network === null) {
      return;
    }
    if (diverged !== undefined) {
      goBackTo(diverged);
      return;
    }
    showReport(report);
    if (performance.now() > run.nextLook) {
      look();
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
  look();
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

/** Look at what the network makes of the passage, and have it write. */
function look() {
  const looked = network;
  if (looked === null) {
    return;
  }

  const began = performance.now();
  run.nextLook = Infinity;
  ask("look", {}, ({ units, updates, seconds, read, held, isBest, ...answer }) => {
    if (network !== looked) {
      return;
    }
    showRead(answer);
    showTracked(units, updates, seconds);
    writeAt({ updates, read, held }, isBest);

    // Where a look takes long, no more than half of the time is spent on looks.
    const now = performance.now();
    run.nextLook = now + Math.max(LOOK, now - began);
  });
}

/** Have the network write what belongs to a look. */
function writeAt(look, isBest) {
  draft("write", FREE, ({ ids }) => {
    addLook({ ...look, text: textOf(ids) }, isBest);
    showKept();
    showHeld();
  });
}

/** Have the network write anew what belongs to the newest look. */
export function rewriteNewest() {
  if (network !== null && timeline.best !== null) {
    writeAt(timeline.looks.at(-1), false);
  }
}
