/* Pieces of a document, and the worker. Nothing here knows what page it is in: both pages have this file.
 * All text gets into the document as text (textContent), never as markup. */

export const byId = (id) => document.getElementById(id);
export const movesLittle = matchMedia("(prefers-reduced-motion: reduce)").matches; // nothing moves by itself

/** Make an element with a class and children, which are elements or text. */
export function make(tag, className = "", ...children) {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
}

export function makeButton(className, action, ...children) {
  return Object.assign(make("button", className, ...children), { type: "button", onclick: action });
}

export function onClick(id, action) {
  byId(id).onclick = action;
}

/** Show a text in an element that is hidden where the text is empty. */
export function showNote(id, text) {
  Object.assign(byId(id), { textContent: text, hidden: !text });
}

/** Copy a text in the old way, which a page from disk or in a frame may use as well, and say in an element what was done. */
export function copy(text, told, id, otherwise = "The browser does not let this page copy.") {
  const { activeElement } = document;
  const field = make("textarea", "unseen", text);
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  activeElement.focus();
  showNote(id, isCopied ? told : otherwise);
}

/** Have keys move in a list from `at()`: `steps` says how far each of them goes; Home and End go to 0 and `last()`.
 * Where `isReversed()`, as in Arabic, left and right are the other way round. */
export function moveByKeys(element, steps, at, last, go, isReversed = () => false) {
  element.addEventListener("keydown", (event) => {
    const step = steps[event.key] * (/t$/.test(event.key) && isReversed() ? -1 : 1); // ArrowLeft, ArrowRight
    const place = { Home: 0, End: last() }[event.key] ?? at() + step;
    if (event.target === element && last() >= 0 && !Number.isNaN(place) && !event.altKey) {
      event.preventDefault();
      go(Math.min(Math.max(place, 0), last()));
    }
  });
}

const asked = {}; // from a kind of job to the newest one: {job, answer}
let lastJob = 0;
let worker = null;

/** Send the worker a job. `answer` is called with all that it answers, until it gets another job of the kind. */
export function ask(kind, message = {}, answer = () => {}) {
  lastJob++;
  asked[kind] = { job: lastJob, answer };
  worker?.postMessage({ kind, job: lastJob, ...message });
}

/** Start the worker: the script in the element "worker". */
export function startWorker() {
  worker = new Worker(
    URL.createObjectURL(new Blob([byId("worker").textContent], { type: "text/javascript" })),
  );
  worker.onmessage = ({ data: { kind, job, failed, ...found } }) => {
    if (failed) {
      fail(failed);
    } else if (asked[kind].job === job) {
      asked[kind].answer(found);
    }
  };
  worker.onerror = ({ message }) => fail(message || "the site that shows it forbids its worker");
}

export function fail(message) {
  showNote(
    "failure",
    `This page does not work here: ${message}. Save the file, and open it from disk.`,
  );
}

/** Colour an element: `name` is a colour of page.css, `strength` how strong it is, at most 1. */
export function tint(element, name, strength) {
  element.style.backgroundColor = `rgb(var(--${name}) / ${Math.min(1, strength).toFixed(3)})`;
}
