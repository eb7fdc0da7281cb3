/* The strip: all units over a part of the text, a row for each, sorted by what they track. */
import { isNew, state } from "../shared/change.js";
import { clamped, signed } from "../shared/numbers.js";
import { unitTitle } from "../shared/text.js";
import { byId, make, moveByKeys, onClick, showNote, showText } from "../shared/view.js";
import { limitsOf, offsets, tracked, unitNames } from "./model.js";
import { goTo, watch } from "./state.js";

const LABEL = 18; // pixels for the name above a group of rows
const STRIP_COLUMNS = 1000; // characters, at most
const COLUMNS_AT_ONCE = 100; // columns that are drawn in a frame, so that none takes long
const LEAST_SPAN = 2; // of 127: a unit that moves less has no colour
const UNTRACKED = -2; // below any correlation
const NOTHING = "tracks nothing by name";
const STRIP_STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -20, PageDown: 20 }; // rows
const rowHeight = clamped(Math.round(800 / unitNames.length), 1, 12); // pixels

/** `rows` are units from the top, `tops` where they begin; from `from` to `to` the text is drawn as far as `drawn`. */
const strip = { rows: [], tops: [], from: 0, to: 0, drawn: 0, frame: 0 };

/** Return the units by what they track, of groups and in groups the highest correlation first: a Map. */
function stripGroups() {
  const strengths = new Map(
    unitNames.map((name) => [name, tracked(name)?.correlation ?? UNTRACKED]),
  );
  const sorted = [...unitNames].sort((a, b) => strengths.get(b) - strengths.get(a));
  const groups = new Map();
  for (const name of sorted) {
    const feature = tracked(name)?.name ?? NOTHING;
    const group = groups.get(feature) ?? [];
    group.push(name);
    groups.set(feature, group);
  }
  return groups;
}

/** Draw the part of the text in which the place is, and mark the place in it. */
export function drawStrip() {
  const { seen, at, ids, known } = state.reading;
  if (at >= known) {
    return;
  }
  const from = at - (at % STRIP_COLUMNS);
  const to = Math.min(from + STRIP_COLUMNS, ids.length);
  if (isNew("strip", seen, from)) {
    Object.assign(strip, { from, to, drawn: from });
    byId("strip-canvas").width = to - from; // and it is empty
  }
  drawColumns();
  const place = (at - from + 0.5) / (to - from);
  byId("strip-place").style.left = `${100 * place}%`;
}

/** Draw the columns from a place on of what was read, some in each frame. */
function drawColumns(start = strip.drawn) {
  const { seen, known } = state.reading;
  const end = Math.min(start + COLUMNS_AT_ONCE, strip.to, known);
  cancelAnimationFrame(strip.frame);
  if (end <= start) {
    return;
  }

  const canvas = byId("strip-canvas");
  const image = new ImageData(end - start, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const columns = seen.slice(start, end).map(({ activations }) => activations);
  const pixelOf = pixelFunction();
  for (const [row, name] of strip.rows.entries()) {
    drawRow(pixels, columns, { top: strip.tops[row], offset: offsets.get(name), pixelOf });
  }
  canvas.getContext("2d").putImageData(image, start - strip.from, 0);
  strip.drawn = end;
  strip.frame = requestAnimationFrame(() => drawColumns());
}

/** Draw the row of a unit: a column for each character, coloured by the value between the limits of the unit. */
function drawRow(pixels, columns, { top, offset, pixelOf }) {
  const width = columns.length;
  const [least, most] = limitsOf(offset);
  const span = most - least;
  const factor = span > LEAST_SPAN ? 2 / span : 0;
  // This runs some 200,000 times: an iterator would be slow.
  for (let column = 0; column < width; column++) {
    let position = 0;
    if (factor > 0) {
      position = Math.max(-1, (columns[column][offset] - least) * factor - 1);
    }
    const pixel = pixelOf(position);
    for (let line = 0; line < rowHeight; line++) {
      pixels[(top + line) * width + column] = pixel;
    }
  }
}

/** Return a function that returns the pixel of a value from -1 to 1: its bytes are red, green, blue, opacity. */
function pixelFunction() {
  const high = pixelColour("--high");
  const low = pixelColour("--low");
  return (value) => {
    const opacity = Math.min(255, Math.abs(255 * value));
    return (opacity << 24) | (value < 0 ? low : high);
  };
}

function pixelColour(name) {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name);
  const [red, green, blue] = value.trim().split(" ");
  return red | (green << 8) | (blue << 16);
}

/** Mark the row of what is watched, and say which it is and what it tracks. */
export function drawRowMark() {
  const { watched } = state;
  if (!isNew("row", watched)) {
    return;
  }
  const row = strip.rows.indexOf(watched.unit);
  byId("strip-unit").hidden = row < 0;
  if (row < 0) {
    return;
  }

  const box = byId("strip");
  const top = strip.tops[row];
  byId("strip-unit").style.top = `${top - 1}px`;
  const isAbove = top < box.scrollTop + LABEL;
  const isBelow = top > box.scrollTop + box.clientHeight - LABEL;
  if (isAbove || isBelow) {
    box.scrollTop = top - box.clientHeight / 3;
  }

  const feature = tracked(watched.unit);
  let what = NOTHING;
  if (feature !== null) {
    what = `${feature.name}, ${signed(feature.correlation)}`;
  }
  const name = `${unitTitle(watched.unit)}: ${what}`;
  showText("strip-name", name);
  box.setAttribute("aria-valuenow", row + 1);
  box.setAttribute("aria-valuetext", name);
}

/** Choose the unit and the place of the text that were clicked. */
function chooseInStrip({ offsetX, offsetY, target }) {
  const row = strip.tops.findLastIndex((top) => top <= offsetY);
  const column = Math.floor(((strip.to - strip.from) * offsetX) / target.clientWidth);
  watch(strip.rows[Math.max(0, row)]);
  goTo(state.reading, clamped(strip.from + column, 0, strip.to - 1));
}

/** Watch the unit whose name was typed, or say that there is none. */
function typeUnit({ target }) {
  const name = target.value.trim();
  if (offsets.has(name)) {
    showNote("unit-note", "");
    watch(name);
    return;
  }
  const names = `Names go from ${unitNames[0]} to ${unitNames.at(-1)}: layer, c or h, cell.`;
  showNote("unit-note", `There is no “${name}”. ${names}`);
}

/** Make the rows, and the names above their groups. */
function makeRows() {
  let top = 0;
  for (const [feature, names] of stripGroups()) {
    const label = make("span", "strip-label", `${feature} (${names.length})`);
    label.style.top = `${top}px`;
    byId("strip-rows").append(label);
    top += LABEL;
    for (const name of names) {
      strip.rows.push(name);
      strip.tops.push(top);
      top += rowHeight;
    }
  }
  byId("strip-canvas").height = top;
  byId("strip-canvas").style.height = `${top}px`;
}

export function startStrip() {
  makeRows();
  const box = byId("strip");
  box.setAttribute("aria-valuemax", strip.rows.length);
  moveByKeys(
    box,
    STRIP_STEPS,
    () => strip.rows.indexOf(state.watched.unit),
    () => strip.rows.length - 1,
    (row) => watch(strip.rows[row]),
  );
  onClick("strip-canvas", chooseInStrip);
  byId("unit").addEventListener("change", typeUnit);
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  darkness.addEventListener("change", () => drawColumns(strip.from));
}
