/* Pieces of a document, and the worker. Nothing here knows what page it is in: both pages have this file.
 * All text gets into the document as text (textContent), never as markup. */
import { clamped } from "./numbers.js";

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

/** Show a text in an element that is hidden where the text is empty. */
export function showNote(id, text) {
  const element = byId(id);
  element.textContent = text;
  element.hidden = text === "";
}

/** Copy a text in the old way, which a page from disk or in a frame may use as well, and say in an element what was done. */
export function copy(text, done, id, notDone = "The browser does not let this page copy.") {
  const { activeElement } = document;
  const field = make("textarea", "unseen", text);
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  activeElement.focus();
  showNote(id, isCopied ? done : notDone);
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

const newestJobs = {}; // {job, answer} by the kind of job
let lastJob = 0;
let worker = null;

/** Send the worker a job. `answer` is called with all that it answers, until it gets another job of the kind. */
export function ask(kind, message = {}, answer = () => {}) {
  lastJob++;
  newestJobs[kind] = { job: lastJob, answer };
  worker?.postMessage({ kind, job: lastJob, ...message });
}

/** Start the worker: the script in the element "worker". */
export function startWorker() {
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

export function fail(message) {
  const advice = "Save the file, and open it from disk.";
  showNote("failure", `This page does not work here: ${message}. ${advice}`);
}

/** Colour an element: `name` is a colour of base.css, `strength` how strong it is, at most 1. */
export function tint(element, name, strength) {
  const opacity = Math.min(1, strength).toFixed(3);
  element.style.backgroundColor = `rgb(var(--${name}) / ${opacity})`;
}
