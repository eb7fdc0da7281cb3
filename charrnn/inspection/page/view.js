/* What all views share: the model's data, the worker, the theme, and small pieces of the document.
 *
 * All text gets into the document as text (textContent), never as markup.
 */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const chars = data.vocabulary.map((code) => String.fromCodePoint(code));
const places = new Map(chars.map((char, id) => [char, id]));
const find = (id) => document.getElementById(id);

/** Make an element with a class and children, which are elements or text. */
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/** Show a text in an element that is hidden where the text is empty. */
function showNote(id, text) {
  find(id).textContent = text;
  find(id).hidden = !text;
}

// ---- the worker: see worker.js for what it is sent and what it answers

const jobs = new Map(); // from a job's number to functions by the type of an answer
let lastJob = 0;
let worker = null;

function startWorker() {
  const source = ["decoding", "engine", "worker"].map((id) => find(id).textContent).join("\n");
  worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  worker.onmessage = ({ data: { type, job, ...answer } }) => {
    if (type === "failed") {
      fail(answer.message);
    }
    const on = jobs.get(job);
    if (type === "done" || type === "failed") {
      jobs.delete(job);
    }
    on?.[type]?.(answer);
  };
  worker.onerror = ({ message }) => fail(message || "the worker could not be started");
}

/**
 * Send the worker a message, and call the functions of `on` with its answers. Return the job's number. The answers to a
 * job that is deleted from `jobs` are left alone.
 */
function ask(type, message, on = {}) {
  lastJob++;
  jobs.set(lastJob, on);
  worker.postMessage({ type, job: lastJob, ...message });
  return lastJob;
}

function fail(message) {
  showNote("failure", `This page does not work here: ${message}`);
}

// ---- the theme: the system's, or what the button chose

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = stored((storage) => storage.getItem("theme"));
  const apply = () => {
    const theme = chosen || (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    find("theme").textContent = theme === "dark" ? "\u2600 Light" : "\u263e Dark";
  };
  dark.addEventListener("change", apply);
  find("theme").addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    stored((storage) => storage.setItem("theme", chosen));
    apply();
  });
  apply();
}

/** Return what an action makes of the browser's storage, or null in a frame that has none. */
function stored(action) {
  try {
    return action(localStorage);
  } catch {
    return null;
  }
}

// ---- characters, with colours and with shares

/** Colour an element: `name` is a colour of page.css, `strength` how strong it is, at most 1. */
function tint(element, name, strength) {
  element.style.background = `rgb(var(--${name}) / ${Math.min(1, strength).toFixed(3)})`;
}

/** Colour an element by the value of a unit, between -1 and 1. */
function tintByUnit(element, value) {
  tint(element, value < 0 ? "low" : "high", Math.abs(value));
}

/** Show characters in an element, each in a cell whose first child can be coloured. Return the cells. */
function showCells(element, characters) {
  const fragment = document.createDocumentFragment();
  const cells = characters.map((char) => {
    const isEnd = char === "\n";
    const cell = make("span", "cell", make("span", isEnd ? "end" : "", isEnd ? "" : visible(char)));
    fragment.append(cell, isEnd ? char : "");
    return cell;
  });
  element.replaceChildren(fragment);
  return cells;
}

/**
 * Show characters with their shares in a list whose length never changes.
 *
 * @param {HTMLElement} list
 * @param {{id: number, share: number, outline?: number, marked?: boolean}[]} rows `share` is filled; `outline` is drawn
 *   around it
 * @param {number} length rows of the list; those that are missing are empty
 */
function showBars(list, rows, length) {
  list.replaceChildren(...Array.from({ length }, (_, index) => (rows[index] ? bar(rows[index]) : make("li"))));
}

function bar(row) {
  const item = make("li");
  fillBar(item, row);
  return item;
}

/** Fill an element with a character and its share; a character that the settings rule out is said to be "out". */
function fillBar(element, { id, share, outline = 0, marked = false }) {
  if (!element.firstChild) {
    element.append(make("span"), make("span", "track", make("i")), make("span"));
  }
  const [symbol, track, number] = element.children;
  symbol.className = marked ? "glyph framed" : "glyph";
  symbol.textContent = glyph(chars[id]);
  track.style.backgroundSize = `${100 * share}% 100%`;
  track.firstChild.style.width = `${100 * outline}%`;
  number.textContent = share ? percent(share) : "out";
  element.title = nameOf(chars[id]);
}
