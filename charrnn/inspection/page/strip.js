/* The strip in Read: all units over a piece of the text, a row for each, sorted by what they track. */
"use strict";

const LABEL = 18; // pixels for the name above a group of rows
const rowHeight = Math.min(12, Math.max(1, Math.round(800 / numUnits)));
const STRIP_COLUMNS = 1000; // characters, at most
// what is drawn: rows are units from the top, tops where they begin; a part of the text, and how much of it was known
const strip = { rows: [], tops: [], from: 0, to: 0, known: 0 };

/** Return [feature or null, its units] for each group, of groups and in groups the highest correlation first. */
function stripGroups() {
  const groups = new Map(data.tracked.features.map(({ name }) => [name, []]));
  const all = Array.from({ length: numUnits }, (_, offset) => unitName(offset)).sort((a, b) => (
    data.tracked.correlations[unitOffset(b)] - data.tracked.correlations[unitOffset(a)]));
  groups.set(null, all.filter((name) => !tracked(name)));
  for (const name of all.filter(tracked)) {
    groups.get(tracked(name).name).push(name);
  }
  const strength = ([feature, names]) => (
    feature ? Math.max(...names.map((name) => Math.abs(tracked(name).correlation))) : -1);
  return [...groups].filter(([, names]) => names.length).sort((a, b) => strength(b) - strength(a));
}

/** Draw the strip for the part of the text that is shown, where it is not that already, and mark the place in it. */
function showStrip() {
  const from = reading.at - (reading.at % STRIP_COLUMNS);
  const to = Math.min(from + STRIP_COLUMNS, reading.ids.length);
  const known = reading.seen.slice(from, to).filter(Boolean).length;
  if (usual && (strip.from !== from || strip.to !== to || strip.known !== known)) {
    Object.assign(strip, { from, to, known });
    drawStrip();
  }
  find("strip-place").style.left = `${(100 * (reading.at - from + 0.5)) / (to - from)}%`;
}

function drawStrip() {
  const { from, to, rows, tops } = strip;
  const canvas = find("strip-canvas");
  const [high, low] = ["high", "low"].map(pixelOf);
  canvas.width = to - from;
  canvas.height = tops[tops.length - 1] + rowHeight;
  canvas.style.height = `${canvas.height}px`;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer); // of each pixel the bytes red, green, blue, opacity
  const columns = reading.seen.slice(from, to).map((each) => each?.activations);
  rows.map(unitOffset).forEach((offset, row) => {
    const [least, most] = usual[offset].limits;
    const factor = 510 / (most - least);
    columns.forEach((activations, column) => {
      const changes = activations && most - least > 2;
      const value = changes ? Math.min(255, Math.max(-255, (activations[offset] - least) * factor - 255)) : 0;
      const pixel = (Math.abs(value) << 24) | (value < 0 ? low : high);
      for (let line = 0; line < rowHeight; line++) {
        pixels[(tops[row] + line) * canvas.width + column] = pixel;
      }
    });
  });
  context.putImageData(image, 0, 0);
}

/** Return a colour of page.css as a pixel without opacity. */
function pixelOf(name) {
  const [red, green, blue] = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim().split(" ");
  return red | (green << 8) | (blue << 16);
}

/** Mark the row of the unit that colours the text. */
function markUnit() {
  const row = strip.rows.indexOf(colour);
  const box = find("strip");
  find("strip-unit").hidden = row < 0;
  if (row >= 0) {
    const top = strip.tops[row];
    find("strip-unit").style.top = `${top - 1}px`;
    if (top < box.scrollTop + LABEL || top > box.scrollTop + box.clientHeight - LABEL) {
      box.scrollTop = top - box.clientHeight / 3;
    }
    box.setAttribute("aria-valuenow", row + 1);
    nameRow(row);
  }
}

/** Say which unit a row is, and what it tracks. */
function nameRow(row) {
  const found = tracked(strip.rows[row]);
  find("strip-name").textContent =
    `${unitTitle(strip.rows[row])}${found ? `: ${found.name}, ${signed(found.correlation)}` : ""}`;
  find("strip").setAttribute("aria-valuetext", find("strip-name").textContent);
}

/** Call a function with the row and the place of the text under the pointer. */
function underPointer(action) {
  return ({ clientX, clientY }) => {
    const box = find("strip-canvas").getBoundingClientRect();
    const row = strip.tops.findLastIndex((top) => top <= clientY - box.top);
    const { from, to } = strip;
    const column = Math.floor(((to - from) * (clientX - box.left)) / box.width);
    action(Math.max(0, row), Math.max(0, Math.min(to - 1, from + column)));
  };
}

function moveInStrip(event) {
  const row = Math.max(0, strip.rows.indexOf(colour));
  const last = strip.rows.length - 1;
  const target = { ArrowUp: row - 1, ArrowDown: row + 1, PageUp: row - 20, PageDown: row + 20, Home: 0, End: last };
  if (event.key in target) {
    event.preventDefault();
    chooseColour(strip.rows[Math.min(Math.max(target[event.key], 0), last)]);
  }
}

function startStrip() {
  let top = 0;
  for (const [feature, names] of stripGroups()) {
    const label = make("span", "strip-label", `${feature || "tracks nothing by name"} (${names.length})`);
    label.style.top = `${top}px`;
    find("strip-rows").append(label);
    strip.tops.push(...names.map((_, index) => top + LABEL + index * rowHeight));
    strip.rows.push(...names);
    top += LABEL + names.length * rowHeight;
  }
  const box = find("strip");
  box.setAttribute("aria-valuemax", strip.rows.length);
  box.addEventListener("keydown", moveInStrip);
  box.addEventListener("pointerleave", () => {
    markUnit();
    showPlace(reading.pinned);
  });
  find("strip-canvas").addEventListener("pointermove", underPointer((row, place) => {
    nameRow(row);
    showPlace(place);
  }));
  find("strip-canvas").addEventListener("click", underPointer((row, place) => {
    pin(place);
    chooseColour(strip.rows[row]);
  }));
  find("theme").addEventListener("click", () => strip.to && drawStrip());
}
