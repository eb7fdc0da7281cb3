/* What all views share: the model's data, the worker, keys, and small pieces of the document.
 * All text gets into the document as text (textContent), never as markup. */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const chars = data.vocabulary.map((code) => String.fromCodePoint(code));
const places = new Map(chars.map((char, id) => [char, id]));
const find = (id) => document.getElementById(id);

function textOf(ids) {
  return ids.map((id) => chars[id]).join("");
}

/** Make an element with a class and children, which are elements or text. */
function make(tag, className = "", ...children) {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
}

function makeButton(className, action, ...children) {
  return Object.assign(make("button", className, ...children), { type: "button", onclick: action });
}

/** Show a text in an element that is hidden where the text is empty. */
function showNote(id, text) {
  Object.assign(find(id), { textContent: text, hidden: !text });
}

/** Have keys move in a list from `at()`: `steps` says how far each of them goes; Home and End go to 0 and `last()`. */
function moveByKeys(element, steps, at, last, go) {
  element.addEventListener("keydown", (event) => {
    const place = { Home: 0, End: last() }[event.key] ?? at() + steps[event.key];
    if (last() >= 0 && !Number.isNaN(place) && !event.altKey) {
      event.preventDefault();
      go(Math.min(Math.max(place, 0), last()));
    }
  });
}

// ---- the worker: see worker.js for what it is sent and what it answers

const asked = {}; // from a kind of job to the newest one: {job, answer}
let lastJob = 0;
const sources = ["decoding", "engine", "worker"].map((id) => find(id).textContent);
const worker = new Worker(URL.createObjectURL(new Blob(sources, { type: "text/javascript" })));

/** Send the worker a job. `answer` is called with all that it answers, until it gets another job of the kind. */
function ask(kind, message = {}, answer = () => {}) {
  lastJob++;
  asked[kind] = { job: lastJob, answer };
  worker.postMessage({ kind, job: lastJob, ...message });
}

worker.onmessage = ({ data: { kind, job, failed, ...found } }) => {
  if (failed) {
    fail(failed);
  } else if (asked[kind].job === job) {
    asked[kind].answer(found);
  }
};
worker.onerror = ({ message }) => fail(message || "the worker could not be started");

function fail(message) {
  showNote("failure", `This page does not work here: ${message}`);
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

/** Show a text in an element, each character in a cell that can be coloured. Return the cells. */
function showCells(element, text) {
  const fragment = document.createDocumentFragment();
  const cells = Array.from(text, (char) => {
    const isEnd = char === "\n";
    const cell = make("span", isEnd ? "cell end" : "cell", isEnd ? "" : visible(char));
    fragment.append(cell, isEnd ? char : "");
    return cell;
  });
  element.replaceChildren(fragment);
  return cells;
}

/** Put empty bars into a list, each an element of its own in an item. */
function startBars(id, count, tag) {
  for (let row = 0; row < Math.min(count, chars.length); row++) {
    const track = make("span", "track", make("i"));
    find(id).append(make("li", "", make(tag, "bar", make("span", "glyph", "\u2026"), track, make("span"))));
  }
}

/** Show characters in the bars of a list, {id, share, outline}: the share is filled, and the outline drawn around it. The
 * character `marked` is framed. A bar without a row is out of date, and disabled. */
function showBars(id, rows, marked) {
  for (const [index, { firstChild: bar }] of [...find(id).children].entries()) {
    const row = rows[index];
    bar.disabled = !row;
    if (row) {
      const [symbol, track, number] = bar.children;
      symbol.className = row.id === marked ? "glyph framed" : "glyph";
      symbol.textContent = glyph(chars[row.id]);
      track.style.backgroundSize = `${100 * row.share}% 100%`;
      track.firstChild.style.width = `${100 * (row.outline || 0)}%`;
      number.textContent = row.share ? percent(row.share) : "out";
      bar.title = nameOf(chars[row.id]);
    }
  }
}
