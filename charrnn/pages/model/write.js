/* What the network writes while nobody holds the handle: at the top coloured by what is watched, and below by how probable each
 * character was, where one can go on from another. All takes are kept: the browser's history leads from one to the next. */
import { change, isNew, state } from "../shared/change.js";
import { hideGuesses } from "../shared/guesses.js";
import { counted, grouped } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { textOf } from "../shared/shown.js";
import {
  ask,
  byId,
  copy,
  copyLink,
  makeButton,
  onClick,
  showNote,
  showText,
} from "../shared/view.js";
import { onPaper, writeText } from "../shared/writing.js";
import { fillFields, settings, showSettings, speedChosen } from "./fields.js";
import { FIELDS, isOpening, linkOf, MOST_WRITTEN, ON, SETTINGS_OF_RUN, USUAL } from "./link.js";
import { data, idsOf } from "./model.js";
import { countsLines, goOnPair } from "./pair.js";
import { askFor, newTake, showAddress, turnTo } from "./state.js";

export const opening = new Paper("opening", data.discoveries.length > 0 ? "unit" : "surprise");
const guessing = new Paper("guessing", "probability", goOnWith);
const FOLLOWED = 60; // pixels from the end within which the view follows the text

/** Have what is written from now on follow the settings. */
function changeSettings() {
  showSettings();
  ask("change", {
    of: "write",
    settings: settings(),
    speed: speedChosen(),
    length: state.take.length,
  });
}

/** Draw the take and its buttons, and have the worker write what is missing of it. */
export function drawTake() {
  const { take, watched, isRunning } = state;
  if (data.discoveries.length > 0) {
    opening.colourBy("unit");
  }
  opening.sheet.classList.toggle("of-lines", countsLines(watched.told));
  if (isNew("take", take)) {
    // The page opens with what tells a direction. What the reader asks for is written as the run writes.
    const isAsAtFirst = isOpening(take) && take.plan.length === 1;
    fillFields(isAsAtFirst ? SETTINGS_OF_RUN : take.plan.at(-1));
    byId("seed").value = take.seed;
    byId("prime").value = textOf(take.prime);
    hideGuesses();
    opening.show(onPaper(take));
    guessing.show(onPaper(take));
    drawNew();
  }
  if (isNew("writing", take, isRunning)) {
    for (const button of document.querySelectorAll(".stop-writing")) {
      button.hidden = !isRunning;
    }
    for (const button of document.querySelectorAll(".go-on")) {
      button.hidden = isRunning;
    }
    if (isRunning) {
      follow(take);
    }
  }
}

/** Have the worker write what is missing of a take. What a link names is there at once. */
function follow(take) {
  showText("write-status", "Writing.");
  writeText(take, { speed: speedChosen(), burst: take.burst ?? 0 }, (last) => {
    markChosen(take);
    if (last) {
      finishWriting(take, last);
    } else if (take === state.take) {
      drawNew();
    }
  });
}

/** Mark the characters that the reader chose. */
function markChosen({ plan, seen }) {
  for (const { at, forced } of plan) {
    if (at in seen) {
      seen[at].isChosen = forced !== undefined;
    }
  }
}

function finishWriting(take, { drawn, seconds }) {
  const isWhole = take.seen.length >= take.length;
  take.length = take.seen.length;
  take.burst = 0;
  if (take !== state.take) {
    return;
  }
  showText("write-status", statusOf(isWhole, drawn, seconds));
  drawNew();
  opening.settle();
  guessing.settle();
  change({ isRunning: false });
  showAddress();
}

/** Say how much was written. */
function statusOf(isWhole, drawn, seconds) {
  if (drawn === 0) {
    return "Stopped before the first character.";
  }
  const verb = isWhole ? "Wrote" : "Stopped after";
  const rate = seconds > 0 ? `, ${grouped(drawn / seconds)} a second` : "";
  return `${verb} ${counted(drawn, "character")}${rate}.`;
}

/** Draw what is new of the text. The view follows its end, unless it was moved away. */
function drawNew() {
  const { box } = opening;
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOWED;
  opening.grow();
  guessing.grow();
  if (isAtEnd) {
    box.scrollTop = box.scrollHeight;
  }
}

/** Write something new, with the fields as they are. */
function startWriting() {
  const { ids, note } = idsOf(byId("prime").value);
  showText("write-status", "");
  if (ids.length === 0) {
    showNote("prime-unknown", note || "Type at least one character.");
    return;
  }
  showNote("prime-unknown", note);
  if (!byId("seed").reportValidity() || !byId("length").reportValidity()) {
    return;
  }

  askFor({
    ...newTake(ids, Number(byId("seed").value), state.watched.unit),
    length: Number(byId("length").value),
    held: state.take.held,
  });
}

/** Go on with the text, with the settings as they are now. */
function goOn() {
  const { take, isRunning } = state;
  const at = take.seen.length;
  const least = isRunning ? take.length : 0;
  take.length = Math.min(Math.max(least, at + ON), MOST_WRITTEN);
  if (isRunning) {
    changeSettings();
  } else if (at < take.length) {
    take.plan = [...planBefore(take, at), { ...settings(), at }];
    change({ isRunning: true });
  } else {
    showText("write-status", "This text is as long as it can be: choose Write for a new one.");
  }
}

function planBefore({ plan }, place) {
  return plan.filter(({ at }) => at < place);
}

/** Go on from another character, at a place of the text: as a new take, with the same seed. */
function goOnWith(place, id) {
  const { take } = state;
  const at = place - take.prime.length;
  const settingsThere = take.plan.findLast((entry) => entry.at <= at);
  turnTo({
    ...take,
    plan: [...planBefore(take, at), { ...settingsThere, at, forced: id }],
    ids: take.ids.slice(0, place),
    seen: take.seen.slice(0, at),
    length: Math.min(MOST_WRITTEN, at + Number(byId("length").value)),
    burst: 0,
  });
  byId("guessing").focus({ preventScroll: true });
}

function stopWriting() {
  for (const of of ["write", "low", "high"]) {
    ask("stop", { of });
  }
}

/** Write another text from the same beginning. */
function writeAgain() {
  byId("seed").value = Math.floor(Math.random() * 2 ** 32);
  startWriting();
}

function onClickAll(selector, action) {
  for (const button of document.querySelectorAll(selector)) {
    button.onclick = action;
  }
}

function startSettings() {
  byId("length").value = USUAL.length;
  byId("length").max = MOST_WRITTEN;
  for (const id of [...FIELDS.map(({ name }) => name), "speed"]) {
    byId(id).addEventListener("input", changeSettings);
  }
}

/** Let the reader choose a beginning, or type one and press Enter. */
function startBeginnings() {
  for (const beginning of data.beginnings) {
    const label = beginning.trim() === "" ? "new line" : beginning.replace(/\s+/g, " ");
    const beginHere = () => {
      byId("prime").value = beginning;
      startWriting();
    };
    byId("beginnings").append(makeButton("chip", beginHere, label));
  }
  byId("prime").addEventListener("keydown", (event) => {
    const isLineEnd = event.shiftKey || event.isComposing;
    if (event.key === "Enter" && !isLineEnd) {
      event.preventDefault();
      startWriting();
    }
  });
}

function startButtons() {
  onClick("start", startWriting);
  onClick("copy", () => copy(textOf(state.take.ids), "Copied.", "write-status"));
  onClick("link", () => {
    showAddress();
    const copied = "The link is copied: it writes this very text again.";
    copyLink(`#${linkOf(state.take)}`, copied, "link-note");
  });
  onClickAll(".again", writeAgain);
  onClickAll(".stop-writing", stopWriting);
  onClickAll(".go-on", () => {
    goOn();
    goOnPair();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") {
      stopWriting();
    }
  });
}

export function startWrite() {
  startSettings();
  startBeginnings();
  startButtons();
}
