/* The strip: all units over a part of the text, a row for each, sorted by what they track. */
import { byId, make, moveByKeys, onClick, showNote } from "../shared/view.js";
import { goTo, reading } from "./read.js";
import { limitsOf, lookAt, tracked, unitNames, unitOffsets } from "./model.js";
import { signed, unitTitle } from "../shared/text.js";
import { watched } from "../shared/shown.js";

const LABEL = 18; // pixels for the name above a group of rows
const STRIP_COLUMNS = 1000; // characters, at most
const COLUMNS_AT_ONCE = 100; // columns that are drawn in a frame, so that none takes long
const rowHeight = Math.min(12, Math.max(1, Math.round(800 / unitNames.length)));
// `rows` are units from the top, `tops` where they begin; from `from` to `to` the text is drawn as far as `drawn`
const strip = { text: null, rows: [], tops: [], from: 0, to: 0, drawn: 0, frame: 0 };

/** Return [feature, its units] for each group, of groups and in groups the highest correlation first. */
function stripGroups() {
  const strength = new Map(unitNames.map((name) => [name, tracked(name)?.correlation ?? -2]));
  const sorted = [...unitNames].sort((a, b) => strength.get(b) - strength.get(a));
  const features = sorted.map((name) => tracked(name)?.name || "tracks nothing by name");
  return [...new Set(features)].map((feature) => [
    feature,
    sorted.filter((_, place) => features[place] === feature),
  ]);
}

/** Show the part of the text in the strip in which the place is, and mark the place in it. */
export function showStrip() {
  const from = reading.at - (reading.at % STRIP_COLUMNS);
  const to = Math.min(from + STRIP_COLUMNS, reading.ids.length);
  if (strip.text !== reading.seen || strip.from !== from || strip.to !== to) {
    Object.assign(strip, { text: reading.seen, from, to, drawn: from });
    byId("strip-canvas").width = to - from; // and it is empty
  }
  drawStrip();
  byId("strip-place").style.left = `${(100 * (reading.at - from + 0.5)) / (to - from)}%`;
}

/** Draw the columns from a place on of what was read, some in each frame. */
export function drawStrip(drawn = strip.drawn) {
  const { rows, tops, from, to } = strip;
  const width = Math.min(drawn + COLUMNS_AT_ONCE, to, reading.known) - drawn;
  cancelAnimationFrame(strip.frame);
  if (width <= 0) {
    return;
  }
  const image = new ImageData(width, byId("strip-canvas").height);
  const pixels = new Uint32Array(image.data.buffer);
  const pixelOf = pixelFunction();
  const columns = Array.from(
    { length: width },
    (_, column) => reading.seen[drawn + column].activations,
  );
  for (const [row, name] of rows.entries()) {
    const offset = unitOffsets.get(name);
    const [least, most] = limitsOf(offset);
    const factor = most - least > 2 ? 2 / (most - least) : 0;
    columns.forEach((activations, column) => {
      // some 200,000 times: an iterator would be slow
      const pixel = pixelOf(factor && Math.max(-1, (activations[offset] - least) * factor - 1));
      for (let line = 0; line < rowHeight; line++) {
        pixels[(tops[row] + line) * width + column] = pixel;
      }
    });
  }
  byId("strip-canvas")
    .getContext("2d")
    .putImageData(image, drawn - from, 0);
  strip.drawn = drawn + width;
  strip.frame = requestAnimationFrame(() => drawStrip());
}

/** Return a function that returns the pixel of a value from -1 to 1: its bytes are red, green, blue, opacity. */
function pixelFunction() {
  const style = getComputedStyle(document.documentElement);
  const [high, low] = ["--high", "--low"].map((name) => {
    const [red, green, blue] = style.getPropertyValue(name).trim().split(" ");
    return red | (green << 8) | (blue << 16);
  });
  return (value) => (Math.min(255, Math.abs(255 * value)) << 24) | (value < 0 ? low : high);
}

/** Mark the row of the unit that is looked at, and say which it is and what it tracks. */
function markUnit() {
  const row = strip.rows.indexOf(watched.unit);
  const top = strip.tops[row];
  const box = byId("strip");
  byId("strip-unit").hidden = row < 0;
  if (row >= 0) {
    const found = tracked(watched.unit);
    const what = found ? `${found.name}, ${signed(found.correlation)}` : "tracks nothing by name";
    const name = `${unitTitle(watched.unit)}: ${what}`;
    byId("strip-unit").style.top = `${top - 1}px`;
    if (top < box.scrollTop + LABEL || top > box.scrollTop + box.clientHeight - LABEL) {
      box.scrollTop = top - box.clientHeight / 3;
    }
    byId("strip-name").textContent = name;
    box.setAttribute("aria-valuenow", row + 1);
    box.setAttribute("aria-valuetext", name);
  }
}

/** Choose the unit and the place of the text that were clicked. */
function chooseInStrip({ offsetX, offsetY, target }) {
  const row = strip.tops.findLastIndex((top) => top <= offsetY);
  const place = strip.from + Math.floor(((strip.to - strip.from) * offsetX) / target.clientWidth);
  lookAt(strip.rows[Math.max(0, row)]);
  goTo(reading, Math.min(Math.max(place, 0), strip.to - 1));
}

/** Look at the unit whose name was typed, or say that there is none. */
function typeUnit({ target }) {
  const name = target.value.trim();
  const isKnown = unitOffsets.has(name);
  showNote(
    "unit-note",
    isKnown
      ? ""
      : `There is no “${name}”. Names go from ${unitNames[0]} to ${unitNames.at(-1)}: layer, c or h, cell.`,
  );
  if (isKnown) {
    lookAt(name);
  }
}

export function startStrip() {
  let top = 0;
  for (const [feature, names] of stripGroups()) {
    const label = make("span", "strip-label", `${feature} (${names.length})`);
    label.style.top = `${top}px`;
    byId("strip-rows").append(label);
    strip.tops.push(...names.map((_, index) => top + LABEL + index * rowHeight));
    strip.rows.push(...names);
    top += LABEL + names.length * rowHeight;
  }
  byId("strip-canvas").height = top;
  byId("strip-canvas").style.height = `${top}px`;
  const box = byId("strip");
  box.setAttribute("aria-valuemax", strip.rows.length);
  moveByKeys(
    box,
    { ArrowUp: -1, ArrowDown: 1, PageUp: -20, PageDown: 20 },
    () => strip.rows.indexOf(watched.unit),
    () => strip.rows.length - 1,
    (row) => lookAt(strip.rows[row]),
  );
  onClick("strip-canvas", chooseInStrip);
  byId("unit").addEventListener("change", typeUnit);
  document.body.addEventListener("watchedchange", markUnit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    drawStrip(strip.from),
  );
}
