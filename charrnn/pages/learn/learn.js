/* The page on which a network learns: its fields and buttons. The worker learns; the modules of this page ask it, and show
 * what it answers. */
import { change, drawWith, state } from "../shared/change.js";
import { onDrop } from "../shared/files.js";
import { valueAt } from "../shared/shown.js";
import {
  byId,
  fail,
  makeButton,
  moveByKeys,
  onClick,
  startWorker,
  undoSwipes,
} from "../shared/view.js";
import { choose, FREE, hold, showStep } from "./learning.js";
import { drawPassage } from "./passage.js";
import { drawProgress, isUnsaved, mayLose } from "./progress.js";
import { rewriteNewest, startAgain, startOrPause, useSizes } from "./run.js";
import { drawKept, save, savePicture, showLink } from "./saving.js";
import { startSettings, useFields } from "./settings.js";
import { drawSource, sources, takeField, takeFile } from "./sources.js";
import { drawTimeline } from "./timeline.js";
import { drawHeld, drawTracked } from "./tracking.js";

/** Bring the document in line with the state. What did not change stays as it is. */
function draw() {
  drawSource();
  drawProgress();
  drawPassage();
  drawTimeline();
  drawKept();
  drawTracked();
  drawHeld();
}

function startSources(query) {
  const buttons = sources.map((source) => {
    const button = makeButton("chip", () => chooseIfMayLose(source), source.label);
    button.value = source.label;
    return button;
  });
  byId("texts").append(...buttons);

  const named = sources.find(({ label }) => label === query.get("text"));
  choose(named ?? sources[0]);
}

function chooseIfMayLose(source) {
  if (mayLose()) {
    choose(source);
  }
}

function startButtons() {
  onClick("start", () => {
    takeField();
    startOrPause();
  });
  onClick("again", startAgain);
  onClick("release", () => hold(FREE));
  onClick("save", save);
  onClick("picture", savePicture);
  onClick("link", showLink);
}

function onInput(id, action) {
  byId(id).addEventListener("input", ({ target }) => action(target));
}

function startFields() {
  onInput("time", ({ value }) => showStep(Number(value)));
  onInput("text", takeField);
  onInput("file", ({ files }) => takeFile(files[0]));
  onInput("colours", ({ value }) => change({ colour: value }));
  onInput("hold", ({ value }) => {
    hold({ direction: state.watched.unit, value: valueAt(Number(value)) });
  });
  undoSwipes(byId("hold"), () => state.held, hold);
  moveByKeys(
    byId("time"),
    { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 },
    () => state.looks.indexOf(state.moment),
    () => state.looks.length - 1,
    (place) => change({ moment: state.looks[place] }),
  );
  byId("layers").addEventListener("change", useSizes);
  byId("units").addEventListener("change", useSizes);
  byId("temperature").addEventListener("change", rewriteNewest);
}

/** Have the browser ask before it leaves what is not saved. */
function startLeaving() {
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) {
      event.preventDefault();
    }
  });
}

function start() {
  const query = new URLSearchParams(location.hash.slice(1));
  startWorker();
  drawWith(draw);
  startSettings(query);
  startSources(query);
  useFields();
  startButtons();
  startFields();
  onDrop(takeFile);
  startLeaving();
}

byId("failure").hidden = true;
try {
  start();
} catch (error) {
  fail(error.message);
}
