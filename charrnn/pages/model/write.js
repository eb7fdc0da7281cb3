/* What the network writes while nobody holds the number: at the top coloured by that number, and below by how probable each
 * character was, where one can go on from another. All takes are kept: the browser's history leads from one to the next. */
import { hideGuesses } from "../shared/guesses.js";
import { counted, grouped } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { chars, textOf, watched } from "../shared/shown.js";
import {
  ask,
  byId,
  copy,
  copyLink,
  makeButton,
  movesLittle,
  onClick,
  showNote,
} from "../shared/view.js";
import { onPaper, writeText } from "../shared/writing.js";
import { fillFields, settings, showSettings, speedChosen } from "./fields.js";
import { showWatched, startHandle } from "./handle.js";
import { MOST_WRITTEN, takeOf } from "./link.js";
import { data, idsOf, lookAt } from "./model.js";
import { goOnPair } from "./pair.js";
import { savePicture } from "./picture.js";
import {
  AT_ONCE,
  addLinks,
  addTake,
  isOfThePage,
  linkOfTake,
  ON,
  setAsked,
  setPapers,
  setRunning,
  setTake,
  showAddress,
  takes,
  USUAL,
  written,
} from "./takes.js";

const FOLLOWED = 60; // pixels from the end within which the view follows the text
const LINK_COPIED = "The link is copied: it writes this very text again.";

/** Have what is written from now on follow the settings. */
function changeSettings() {
  showSettings();
  ask("change", {
    of: "write",
    settings: settings(),
    speed: speedChosen(),
    length: written.take?.length,
  });
}

/** Turn to a take, which may be new: an entry of the history. */
function turnTo(take) {
  addTake(take);
  showAddress("pushState", take);
  showTake(take);
}

/** Show a take. One of which only the link is kept is written again. */
function showTake(take) {
  ask("stop", { of: "write" });
  setTake(take);
  fillFields(take.plan.at(-1));
  byId("seed").value = take.seed;
  byId("prime").value = textOf(take.prime);
  lookAt(take.unit);
  hideGuesses();
  for (const paper of written.papers) {
    paper.show(onPaper(take));
  }
  showNew();
  showWriting();
  if (take.seen.length < take.length) {
    follow(take);
  }
}

/** Show what an address names: the texts that were here before, or one that is written then.
 * @param {?{links: string[], at: number}} state of the history */
export function showAddressed(state = history.state) {
  const { links = [], at = 0 } = state ?? {};
  if (takes.length === 0) {
    addLinks(links);
  }
  if (takes[at] && links.length > 0) {
    showTake(takes[at]);
    return;
  }

  // Links of earlier pages begin with "write?".
  const isLink = location.hash.includes("prime=");
  const { take, wrong } = takeOf(location.hash.replace(/^#(write\?)?/, ""), USUAL);
  take.burst = isLink ? Infinity : firstBurst();
  let note = "";
  if (wrong.length > 0) {
    note = `The link has something that this page cannot follow: ${wrong.join(", ")}.`;
  }
  showNote("link-note", note);
  addTake(take);
  showAddress("replaceState", take);
  showTake(take);
}

/** Have the worker write what is missing of a take. What a link names is there at once. */
function follow(take) {
  setRunning(true);
  showWriting();
  byId("write-status").textContent = "Writing.";
  writeText(take, { speed: speedChosen(), burst: take.burst ?? 0 }, (last) => {
    markChosen(take);
    if (last) {
      finishWriting(take, last);
    } else if (take === written.take) {
      showNew();
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
  if (take !== written.take) {
    return;
  }
  byId("write-status").textContent = statusOf(isWhole, drawn, seconds);
  setRunning(false);
  showNew();
  for (const paper of written.papers) {
    paper.settle();
  }
  showWriting();
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

/** Show what is new of the text. The view follows its end, unless it was moved away. */
function showNew() {
  const [{ box }] = written.papers;
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOWED;
  for (const paper of written.papers) {
    paper.grow();
  }
  if (isAtEnd) {
    box.scrollTop = box.scrollHeight;
  }
}

/** Write something new, with the fields as they are. */
function startWriting() {
  const { ids, note } = idsOf(byId("prime").value);
  byId("write-status").textContent = "";
  if (ids.length === 0) {
    showNote("prime-unknown", note || "Type at least one character.");
    return;
  }
  showNote("prime-unknown", note);
  if (!byId("seed").reportValidity() || !byId("length").reportValidity()) {
    return;
  }

  setAsked(true);
  turnTo({
    ...newTake(ids, Number(byId("seed").value)),
    length: Number(byId("length").value),
    held: written.take.held,
  });
}

/** Return a take of which nothing is written yet, with the settings as they are now. */
function newTake(prime, seed) {
  return {
    prime,
    ids: [...prime],
    seen: [],
    seed,
    length: USUAL.length,
    plan: [{ at: 0, ...settings() }],
    unit: watched.unit,
    held: null,
  };
}

/** Where the reader goes on to a discovery, write the texts that show it, unless the reader or a link chose others. */
function showDiscovery() {
  const { take } = written;
  const { unit, seed = null } = watched;
  const goesOn = take !== null && take.unit !== unit;
  const isOther = seed !== null && take?.seed !== seed;
  if (goesOn && isOther && isOfThePage(take)) {
    turnTo({ ...newTake(take.prime, seed), burst: firstBurst() });
  }
}

/** Return how many characters of a text that nobody asked for are there at once. */
function firstBurst() {
  return movesLittle ? Infinity : AT_ONCE;
}

/** Go on with the text, with the settings as they are now. */
function goOn() {
  const { take, running } = written;
  const at = take.seen.length;
  const least = running ? take.length : 0;
  take.length = Math.min(Math.max(least, at + ON), MOST_WRITTEN);
  if (running) {
    changeSettings();
  } else if (at < take.length) {
    take.plan = [...planBefore(take, at), { ...settings(), at }];
    follow(take);
  } else {
    byId("write-status").textContent =
      "This text is as long as it can be: choose Write for a new one.";
  }
}

function planBefore({ plan }, place) {
  return plan.filter(({ at }) => at < place);
}

/** Go on from another character, at a place of the text: as a new take, with the same seed. */
function goOnWith(place, id) {
  const { take } = written;
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

/** Show the buttons for a text that is being written, or for one that is not. */
function showWriting() {
  const { running } = written;
  for (const button of document.querySelectorAll(".stop-writing")) {
    button.hidden = !running;
  }
  for (const button of document.querySelectorAll(".go-on")) {
    button.hidden = running;
  }
}

/** Copy the link of the text. */
function copyLinkOfTake() {
  showAddress();
  copyLink(`#${linkOfTake(written.take)}`, LINK_COPIED, "link-note");
}

/** Write a text from another beginning. */
function beginWith(prime) {
  byId("prime").value = prime;
  startWriting();
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
  byId("top-n").max = chars.length;
  byId("length").value = USUAL.length;
  byId("length").max = MOST_WRITTEN;
  byId("whose").hidden = !data.has_start;
  byId("whose-start").textContent = data.name_of_start ?? "";
  byId("whose-own").textContent = data.name;
  byId("contrast").addEventListener("input", showSettings);
  byId("contrast").addEventListener("change", startWriting);
  fillFields(USUAL.settings);
  for (const id of ["temperature", "top-n", "top-p", "speed"]) {
    byId(id).addEventListener("input", changeSettings);
  }
}

/** Let the reader choose a beginning, or type one and press Enter. */
function startBeginnings() {
  for (const beginning of data.beginnings) {
    const label = beginning.trim() === "" ? "new line" : beginning.replace(/\s+/g, " ");
    byId("beginnings").append(makeButton("chip", () => beginWith(beginning), label));
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
  onClick("copy", () => copy(textOf(written.take.ids), "Copied.", "write-status"));
  onClick("link", copyLinkOfTake);
  onClick("picture", savePicture);
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
  setPapers([
    new Paper("opening", data.discoveries.length > 0 ? "unit" : "surprise"),
    new Paper("guessing", "probability", goOnWith),
  ]);
  startSettings();
  document.body.addEventListener("watchedchange", () => {
    // The take that shows it is chosen first.
    showDiscovery();
    showWatched();
  });
  startHandle();
  startBeginnings();
  startButtons();
  addEventListener("popstate", ({ state }) => showAddressed(state ?? {}));
}
