/* What all views share: the model's data, the worker, tabs, the theme, and small pieces of the document.
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

/** Return a function that calls `action` once it has not been called for some milliseconds; `cancel` stops that. */
function debounced(action, milliseconds) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
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

/** Send the worker a message, and call the functions of `on` with its answers. Return the job's number. */
function ask(type, message, on = {}) {
  lastJob++;
  jobs.set(lastJob, on);
  worker.postMessage({ type, job: lastJob, ...message });
  return lastJob;
}

function fail(message) {
  find("failure").textContent = `This page does not work here: ${message}`;
  find("failure").hidden = false;
}

// ---- tabs: a view is shown by its name, which is also the address's fragment

const views = {}; // from a name to a function that is called when the view is shown

function show(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    find(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  document.body.dataset.view = name;
  setFragment(name);
  if (views[name]) {
    views[name]();
  }
}

function setFragment(fragment) {
  try {
    history.replaceState(null, "", `#${fragment}`);
  } catch {
    // some frames have no history: the view is shown all the same
  }
}

function startTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => show(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) {
        const next = tabs[(index + step + tabs.length) % tabs.length];
        next.focus();
        next.click();
      }
    });
  });
}

// ---- the theme: the system's, or what the button chose

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = remembered("theme");
  const apply = () => {
    const theme = chosen || (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    find("theme").textContent = theme === "dark" ? "\u2600 Light" : "\u263e Dark";
  };
  dark.addEventListener("change", apply);
  find("theme").addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    remember("theme", chosen);
    apply();
  });
  apply();
}

function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a frame without storage
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // it is forgotten with the page
  }
}

// ---- bars: characters with their shares

/**
 * Show characters with their shares in a list whose length never changes.
 *
 * @param {HTMLElement} list
 * @param {{id: number, share: number, outline?: number, marked?: boolean}[]} rows `share` is filled; `outline` is drawn
 *   around it
 * @param {number} length rows of the list; those that are missing are empty
 */
function showBars(list, rows, length) {
  while (list.children.length < length) {
    const fill = make("i", "fill");
    const outline = make("i", "outline");
    list.append(make("li", "", make("span", "glyph"), make("span", "track", outline, fill), make("span", "share")));
  }
  [...list.children].forEach((item, index) => {
    const row = rows[index];
    const [symbol, track, share] = item.children;
    symbol.textContent = row ? glyph(chars[row.id]) : "";
    share.textContent = row ? percent(row.share) : "";
    track.firstChild.style.width = row ? `${100 * (row.outline || 0)}%` : "0";
    track.lastChild.style.width = row ? `${100 * row.share}%` : "0";
    item.className = row?.marked ? "marked" : "";
    item.title = row ? nameOf(chars[row.id]) : "";
  });
}

/** Colour an element by a value: between -1 and 1 for a unit, from 0 on for surprise. */
function tint(element, value) {
  element.style.setProperty("--v", Math.min(1, Math.abs(value)).toFixed(3));
  element.classList.toggle("low", value < 0);
}
