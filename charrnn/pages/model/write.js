/* What the network writes while nobody holds the number: at the top coloured by that number, and below by how probable each
 * character was, where one can go on from another. All takes are kept; two buttons, and those of the browser's history,
 * lead from one to the next. */
import { FIELDS, MOST_WRITTEN, linkOf, takeOf } from "./link.js";
import { Paper, hideGuesses } from "../shared/paper.js";
import {
  ask,
  byId,
  copy,
  make,
  makeButton,
  movesLittle,
  onClick,
  showNote,
} from "../shared/view.js";
import { chars, positionIn, textOf, valueAt, watched } from "../shared/shown.js";
import { counted, encode, grouped, percent, signed, unitTitle } from "../shared/text.js";
import { data, lookAt, places, unitNames } from "./model.js";
import { evidenceOf, goOnPair, one, showHeld } from "./pair.js";
import { onPaper, writeText } from "../shared/writing.js";
import { savePicture } from "./picture.js";

const FOLLOWED = 60; // pixels from the end within which the view follows the text
export const AT_ONCE = 320; // characters that are written at first without a pause
export const ON = 240; // characters that are written after a change
const USUAL = {
  settings: {
    temperature: data.opening.temperature,
    topN: Math.min(data.settings.top_n, chars.length),
    topP: data.settings.top_p,
  },
  prime: encode(data.opening.prime, places, data.nearest).ids,
  seed: data.opening.seed,
  length: 600,
  unit: data.discoveries[0]?.unit || unitNames[0],
};

const takes = [];
export const written = { take: null, running: false, papers: [] };

export const speedChosen = () => Number(byId("speed").value);

function settings() {
  return Object.fromEntries(FIELDS.map(([name, key]) => [key, Number(byId(name).value)]));
}

function showSettings() {
  const { temperature, topN, topP } = settings();
  byId("temperature-value").textContent = temperature.toFixed(2);
  byId("top-n-value").textContent = topN >= chars.length ? "all" : topN;
  byId("top-p-value").textContent = topP >= 1 ? "all" : percent(topP);
}

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

/** Bring the fields in line with an entry of a plan. */
function fillFields(entry) {
  for (const [name, key] of FIELDS) {
    byId(name).value = entry[key];
  }
  showSettings();
}

/** Turn to a take, which may be new: an entry of the history. */
function turnTo(take) {
  takes.push(...(takes.includes(take) ? [] : [take]));
  showAddress("pushState", take);
  showTake(take);
}

/** Bring the address in line with the take, and keep all links for when the page is loaded again. */
function showAddress(way = "replaceState", take = written.take) {
  try {
    const links = takes.map((each) => linkOf(each, USUAL.settings));
    history[way]({ links, at: takes.indexOf(take) }, "", `#${linkOf(take, USUAL.settings)}`);
  } catch {
    /* some frames have no history, and some browsers take few changes: the text is shown all the same */
  }
}

/** Show a take. One of which only the link is kept is written again. */
function showTake(take) {
  ask("stop", { of: "write" });
  Object.assign(written, { take, running: false });
  Object.assign(take, { of: "write", number: takes.indexOf(take), start: take.prime.length });
  fillFields(take.plan.at(-1));
  [byId("seed").value, byId("prime").value] = [take.seed, textOf(take.prime)];
  lookAt(take.unit);
  hideGuesses();
  written.papers.forEach((paper) => {
    paper.show(onPaper(take));
  });
  showNew();
  showWriting();
  if (take.seen.length < take.length) {
    follow(take);
  }
}

/** Show what an address names: the texts that were here before, or one that is written then. */
export function showAddressed({ links = [], at = 0 } = history.state || {}) {
  if (!takes.length) {
    takes.push(...links.map((link) => ({ ...takeOf(link, USUAL).take, burst: Infinity })));
  }
  if (takes[at] && links.length) {
    showTake(takes[at]);
    return;
  }
  const { take, wrong } = takeOf(location.hash.replace(/^#(write\?)?/, ""), USUAL);
  showNote(
    "link-note",
    wrong.length ? `The link has something that this page cannot follow: ${wrong.join(", ")}.` : "",
  );
  take.burst = location.hash.includes("prime=") || movesLittle ? Infinity : AT_ONCE;
  takes.push(take);
  showAddress("replaceState", take);
  showTake(take);
}

/** Have the worker write what is missing of a take. What a link names is there at once. */
function follow(take) {
  written.running = true;
  showWriting();
  byId("write-status").textContent = "Writing.";
  writeText(take, { speed: speedChosen(), burst: take.burst || 0 }, (last) => {
    take.plan.forEach(({ at, forced }) => {
      Object.assign(take.seen[at] || {}, { isChosen: forced !== undefined });
    });
    if (last) {
      finishWriting(take, last);
    } else if (take === written.take) {
      showNew();
    }
  });
}

function finishWriting(take, { drawn, seconds }) {
  const isWhole = take.seen.length >= take.length;
  Object.assign(take, { length: take.seen.length, burst: 0 });
  if (take !== written.take) {
    return;
  }
  const rate = seconds > 0 && drawn ? `, ${grouped(drawn / seconds)} a second` : "";
  byId("write-status").textContent =
    drawn === 0
      ? "Stopped before the first character."
      : `${isWhole ? "Wrote" : "Stopped after"} ${counted(drawn, "character")}${rate}.`;
  written.running = false;
  showNew();
  written.papers.forEach((paper) => {
    paper.settle();
  });
  showWriting();
  showAddress();
}

function showNew() {
  const [{ box }] = written.papers;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOWED;
  written.papers.forEach((paper) => {
    paper.grow();
  });
  if (atEnd) {
    box.scrollTop = box.scrollHeight;
  }
  showHandle();
}

/** Write something new, with the fields as they are. */
function startWriting() {
  const { ids, note } = encode(byId("prime").value, places, data.nearest);
  showNote(
    "prime-unknown",
    ids.length ? note : "Type at least one character that the network knows.",
  );
  byId("write-status").textContent = "";
  if (!ids.length || !["seed", "length"].every((id) => byId(id).reportValidity())) {
    return;
  }
  turnTo({
    prime: ids,
    ids: [...ids],
    seen: [],
    seed: Number(byId("seed").value),
    length: Number(byId("length").value),
    plan: [{ at: 0, ...settings() }],
    unit: watched.unit,
    held: written.take.held,
  });
}

/** Go on with the text, with the settings as they are now. */
export function goOn() {
  const { take, running } = written;
  const at = take.seen.length;
  take.length = Math.min(Math.max(running ? take.length : 0, at + ON), MOST_WRITTEN);
  if (running) {
    changeSettings();
  } else if (at < take.length) {
    take.plan = [...take.plan.filter((entry) => entry.at < at), { ...settings(), at }];
    follow(take);
  } else {
    byId("write-status").textContent =
      "This text is as long as it can be: choose Write for a new one.";
  }
}

/** Go on from another character, at a place of the text: as a new take, with the same seed. */
function goOnWith(place, id) {
  const { take } = written;
  const at = place - take.prime.length;
  const chosen = { ...take.plan.findLast((entry) => entry.at <= at), at, forced: id };
  turnTo({
    ...take,
    plan: [...take.plan.filter((entry) => entry.at < at), chosen],
    ids: take.ids.slice(0, place),
    seen: take.seen.slice(0, at),
    length: Math.min(MOST_WRITTEN, at + Number(byId("length").value)),
    burst: 0,
  });
  byId("guessing").focus({ preventScroll: true });
}

/** Show where the handle holds the number, or the value of the number at the last character. */
function showHandle() {
  const { held, seen } = written.take;
  const last = seen.at(-1);
  const place = held === null ? (last?.activations[watched.offset] || 0) / 127 : valueAt(held);
  byId("hold").value = held ?? (last ? positionIn(last.activations) : 0);
  byId("hold").ariaValueText = `${held === null ? "free, now" : "held at"} ${signed(place)}, from ${
    watched.ends[0]
  } to ${watched.ends[1]}`;
  byId("hold-said").textContent =
    held === null
      ? "Drag the handle, and the number is held there: watch the words change."
      : `Held at ${signed(place)} from the first letter on. Underlined: the words that your last move changed.`;
  byId("colour-said").textContent = !data.discoveries.length
    ? "The colour is that surprise."
    : held !== null
      ? "The same beginning, the same dice: only that number is held, where you put it."
      : watched.told
        ? "The same beginning, the same dice: only that number is held at its two ends."
        : `The colour is that one number: it was never told what to follow.${
            watched.told === null
              ? " Held at its ends, it changed no word often enough to be named."
              : ""
          }`;
}

/** Hold the number at a position between its limits, or for null nowhere. */
function hold(position) {
  written.take.held = position;
  showHandle();
  showHeld();
}

/** Say what the unit is that is looked at: the claim at the top, and the ends of the handle. */
function showFocus() {
  const { unit, feature, correlation, untrained, ends, told, sentence } = watched;
  const count = grouped(unitNames.length);
  byId("claim").replaceChildren(
    ...(data.discoveries.length ? sentence : data.sentence)
      .split("*")
      .map((part, index) => (index % 2 ? make("em", "", part) : part)),
  );
  byId("evidence").textContent = `The number is the ${unitTitle(unit)}.${
    untrained === undefined
      ? ""
      : ` It was found by comparing all ${count} with “${feature}”: correlation ${signed(correlation)}, measured on ${
          data.measured
        }. In a network of this size that has learned nothing, the best one reaches ${untrained.toFixed(2)}.`
  }${told ? ` ${evidenceOf(watched)}` : ""}`;
  [byId("left").textContent, byId("right").textContent, byId("unit").value] = [...ends, unit];
  byId("hold").ariaLabel = `The number, from ${ends[0]} to ${ends[1]}`;
  const { take } = written;
  if (take) {
    Object.assign(take, { unit, held: take.unit === unit ? take.held : null });
    showHandle();
    showHeld();
  }
}

function stopWriting() {
  ["write", "low", "high"].forEach((of) => {
    ask("stop", { of });
  });
}

function showWriting() {
  const { take, running } = written;
  const at = takes.indexOf(take);
  for (const button of document.querySelectorAll(".stop-writing, .go-on")) {
    button.hidden = button.matches(".go-on") === running;
  }
  byId("versions").hidden = takes.length < 2;
  byId("version").textContent = `Version ${at + 1} of ${takes.length}`;
  [byId("earlier").disabled, byId("later").disabled] = [at < 1, at === takes.length - 1];
}

/** Copy the address of the text. From disk it would help nobody: then only what is after it. */
function copyLink() {
  showAddress();
  const fragment = `#${linkOf(written.take, USUAL.settings)}`;
  const isSite = /^https?:/.test(location.protocol);
  copy(
    (isSite ? location.href.split("#")[0] : "") + fragment,
    isSite
      ? "The link is copied: it writes this very text again."
      : "This page is a file, so its address is of no use to others. Its settings are copied, from the “#” on: put them " +
          "behind the address where you found the page.",
    "link-note",
  );
}

export function startWrite() {
  byId("top-n").max = chars.length;
  Object.assign(byId("length"), { value: USUAL.length, max: MOST_WRITTEN });
  fillFields(USUAL.settings);
  written.papers = [
    new Paper("opening", data.discoveries.length ? "unit" : "surprise"),
    new Paper("guessing", "probability", goOnWith),
  ];
  document.body.addEventListener("watchedchange", showFocus);
  for (const id of ["temperature", "top-n", "top-p", "speed"]) {
    byId(id).addEventListener("input", () => changeSettings());
  }
  for (const event of ["input", "click", "keyup"]) {
    // at the end where it already is there is no input
    byId("hold").addEventListener(event, ({ target, key = "Arrow" }) => {
      if (/Arrow|Home|End|Page/.test(key) && written.take.held !== Number(target.value)) {
        hold(Number(target.value));
      }
    });
  }
  for (const event of ["pointerdown", "keydown"]) {
    byId("hold").addEventListener(event, () => {
      one.moving = false;
    });
  }
  byId("hold").addEventListener("change", () => showAddress());
  byId("prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      startWriting();
    }
  });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && stopWriting());
  for (const beginning of data.beginnings) {
    byId("beginnings").append(
      makeButton(
        "chip",
        () => {
          byId("prime").value = beginning;
          startWriting();
        },
        beginning.replace(/\s+/g, " "),
      ),
    );
  }
  onClick("start", startWriting);
  for (const button of document.querySelectorAll(".again")) {
    button.onclick = () => {
      byId("seed").value = Math.floor(Math.random() * 2 ** 32);
      startWriting();
    };
  }
  for (const button of document.querySelectorAll(".stop-writing, .go-on")) {
    button.addEventListener("click", () =>
      button.matches(".go-on") ? goOn() || goOnPair() : stopWriting(),
    );
  }
  onClick("release", () => {
    byId("hold").focus();
    hold(null);
    showAddress();
  });
  onClick("another", () => {
    const at = data.discoveries.findIndex(({ unit }) => unit === watched.unit);
    lookAt(data.discoveries[(at + 1) % data.discoveries.length].unit);
  });
  byId("another").hidden = data.discoveries.length < 2;
  byId("handle").hidden = byId("free-said").hidden = !data.discoveries.length;
  onClick("earlier", () => turnTo(takes[takes.indexOf(written.take) - 1]));
  onClick("later", () => turnTo(takes[takes.indexOf(written.take) + 1]));
  onClick("copy", () => copy(textOf(written.take.ids), "Copied.", "write-status"));
  onClick("link", copyLink);
  onClick("picture", savePicture);
  addEventListener("popstate", ({ state }) => showAddressed(state || {}));
}
