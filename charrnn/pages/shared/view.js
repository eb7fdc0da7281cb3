/* Pieces of a document, and the worker. Nothing here knows what page it is in: both pages have this file.
 * All text gets into the document as text (textContent), never as markup. */
import { clamped } from "./numbers.js";

const NO_WEBASSEMBLY =
  "it computes with WebAssembly, and this browser has none. On an iPhone, Lockdown Mode switches it off, which can be " +
  "allowed for a site; or open the page in another browser";
const FRAGMENT_COPIED =
  "This page is a file, so its address is of no use to others. Its settings are copied, from the “#” on: put them " +
  "behind the address where you found the page.";

/** Whether the reader wants nothing to move by itself. */
export const movesLittle = matchMedia("(prefers-reduced-motion: reduce)").matches;

export function byId(id) {
  return document.getElementById(id);
}

/** Make an element with a class and children, which are elements or text. */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

export function makeButton(className, action, ...children) {
  const button = make("button", className, ...children);
  button.type = "button";
  button.onclick = action;
  return button;
}

export function onClick(id, action) {
  byId(id).onclick = action;
}

/** Show a text in an element, unless it is there. */
export function showText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Show a text in an element that is hidden where the text is empty. */
export function showNote(id, text) {
  const element = byId(id);
  element.textContent = text;
  element.hidden = text === "";
}

/** Copy a text in the old way, which a page from disk or in a frame may use as well, and say in an element what was done. */
export function copy(text, done, id) {
  const { activeElement } = document;
  const field = make("textarea", "unseen", text);
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  activeElement.focus();
  showNote(id, isCopied ? done : "The browser does not let this page copy.");
}

/** Give the browser a file to save. */
export function download(blob, name) {
  const anchor = make("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
}

/** Have keys move in a list from `at()`: `steps` says how far each of them goes; Home and End go to 0 and `last()`.
 * Where `isReversed()`, as in Arabic, left and right are the other way round. */
export function moveByKeys(element, steps, at, last, go, isReversed = () => false) {
  const placeAfter = (key) => {
    if (key === "Home") {
      return 0;
    }
    if (key === "End") {
      return last();
    }
    const isHorizontal = key === "ArrowLeft" || key === "ArrowRight";
    const direction = isHorizontal && isReversed() ? -1 : 1;
    return at() + direction * steps[key];
  };

  element.addEventListener("keydown", (event) => {
    const { key, target, altKey } = event;
    const isOurs = key === "Home" || key === "End" || Object.hasOwn(steps, key);
    const isHere = target === element && !altKey;
    const isSomewhere = last() >= 0;
    if (isOurs && isHere && isSomewhere) {
      event.preventDefault();
      go(clamped(placeAfter(key), 0, last()));
    }
  });
}

/** Copy the link to what is shown: an address, or, of a page from disk, only what stands behind "#". The rest would help
 * nobody else, and names folders of the reader's.
 * @param {string} copied what is said of an address @param {string} note the element that says it */
export function copyLink(fragment, copied, note) {
  const isSite = /^https?:/.test(location.protocol);
  if (isSite) {
    const [address] = location.href.split("#");
    copy(address + fragment, copied, note);
  } else {
    copy(fragment, FRAGMENT_COPIED, note);
  }
}

/** Have what was before come back where a finger came down on a slider to scroll the page. `now()` returns what the slider
 * has set, and `restore` gets it. */
export function undoSwipes(slider, now, restore) {
  let before = null;
  slider.addEventListener("pointerdown", () => {
    before = { value: slider.value, state: now() };
  });
  slider.addEventListener("pointercancel", () => {
    slider.value = before.value;
    restore(before.state);
  });
}

const newestJobs = {}; // {job, answer} by the kind of job
let lastJob = 0;
let worker = null;
let hasFailed = false;

/** Send the worker a job. `answer` is called with all that it answers, until it gets another job of the kind. */
export function ask(kind, message = {}, answer = () => {}) {
  lastJob++;
  newestJobs[kind] = { job: lastJob, answer };
  worker?.postMessage({ kind, job: lastJob, ...message });
}

/** Start the worker: the script in the element "worker". @throws {Error} it could not compute */
export function startWorker() {
  if (globalThis.WebAssembly === undefined) {
    throw new Error(NO_WEBASSEMBLY);
  }
  const script = new Blob([byId("worker").textContent], { type: "text/javascript" });
  worker = new Worker(URL.createObjectURL(script));
  worker.onmessage = ({ data: { kind, job, failed, ...answered } }) => {
    const newest = newestJobs[kind];
    if (failed) {
      fail(failed);
    } else if (newest.job === job) {
      newest.answer(answered);
    }
  };
  worker.onerror = ({ message }) => fail(message || "the site that shows it forbids its worker");
}

/** Say why the page does not work. What fails later fails because of that. */
export function fail(message) {
  if (hasFailed) {
    return;
  }
  hasFailed = true;
  byId("failure").style.animation = "none"; // it waits for a page that has not started yet
  let advice = " Save the file, and open it from disk.";
  if (message === NO_WEBASSEMBLY) {
    advice = "";
    document.querySelector("main").classList.add("unable");
  }
  showNote("failure", `This page does not work here: ${message}.${advice}`);
}

/** Colour an element: `name` is a colour of base.css, `strength` how strong it is, at most 1. */
export function tint(element, name, strength) {
  const opacity = Math.min(1, strength).toFixed(3);
  element.style.backgroundColor = `rgb(var(--${name}) / ${opacity})`;
}
