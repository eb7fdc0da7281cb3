/* Inside the cell: a drawing of one cell of the network with its real numbers, which move as characters pass. */
import { change, isNew, state } from "../shared/change.js";
import { percent, signed } from "../shared/numbers.js";
import { chars, COLOURS } from "../shared/shown.js";
import { glyph, parseUnit, visible } from "../shared/text.js";
import { ask, byId, make, onClick, showText } from "../shared/view.js";
import { alone, isDirection, unitNames } from "./model.js";
import { goTo } from "./state.js";

const SHOWN = 56; // characters around the one that passes
const PASS = 900; // milliseconds for a character
const IN_SIGHT = 0.4; // of the drawing, so that characters pass
let timer = 0;

/** Return the unit that is watched; of a direction, which is none, the best one alone. */
function unitOfCell() {
  const { unit } = state.watched;
  if (!isDirection(unit)) {
    return unit;
  }
  return alone?.unit ?? unitNames[0];
}

/** Draw the cell of the unit that is watched, while the network reads the character that is chosen. */
export function drawCell() {
  const { reading, watched } = state;
  const { at, known, ids, seen, key, what } = reading;
  if (at >= known || !isNew("cell", watched, seen, at)) {
    return;
  }

  const { layer, unit } = parseUnit(unitOfCell());
  showText("cell-name", `Cell ${unit} of layer ${layer}, while it reads ${what}`);
  showText("cell-character", glyph(chars[ids[at]]));
  showRibbon(reading);
  // The step before has the memory that this one begins with. Before the first it is 0.
  const from = Math.max(0, at - 1);
  ask("trace", { key, from, to: at + 1, layer, unit }, ({ values }) => {
    const [, , , , memoryBefore] = values[0];
    drawStep(at === 0 ? 0 : memoryBefore, values.at(-1));
  });
}

/** Show the characters around the one that passes. */
function showRibbon(reading) {
  const { at, known, ids } = reading;
  const from = Math.max(0, Math.min(at - SHOWN / 2, ids.length - SHOWN));
  const to = Math.min(known, from + SHOWN);
  const cells = [];
  for (let place = from; place < to; place++) {
    cells.push(ribbonCell(reading, place));
  }
  byId("ribbon").replaceChildren(...cells);
}

function ribbonCell(reading, place) {
  const isFramed = place === reading.at;
  const char = chars[reading.ids[place]];
  const shown = char === "\n" ? glyph(char) : visible(char);
  const cell = make("span", isFramed ? "cell framed" : "cell", shown);
  cell.onclick = () => goTo(reading, place);
  COLOURS.unit(cell, reading.seen[place]);
  return cell;
}

/** Draw the memory before, and what a step made of it: see Network.cell. */
function drawStep(before, [input, fresh, forget, output, memory, given]) {
  fillGate("input", input);
  fillGate("forget", forget);
  fillGate("output", output);
  fillTank("before", Math.tanh(before), "tanh ");
  fillTank("fresh", fresh);
  fillTank("memory", Math.tanh(memory), "tanh ");
  fillTank("given", given);
  drawPipe("old", before);
  drawPipe("kept", forget * before);
  drawPipe("added", input * fresh);
  drawPipe("new", memory);

  const [keeps, adds, shows] = [forget, input, output].map((gate) => gate.toFixed(2));
  const sum = `${keeps} × ${signed(before)} + ${adds} × ${signed(fresh)}`;
  const drawn = `tanh(${signed(memory)}) = ${signed(Math.tanh(memory))}`;
  const shown = `${shows} × ${signed(Math.tanh(memory))} = ${signed(given)}`;
  showText(
    "cell-sum",
    `It keeps ${percent(forget)} of its memory, lets in ${percent(input)} of the new value, ` +
      `and shows ${percent(output)} of the result. Memory: ${sum} = ${signed(memory)}, ` +
      `drawn as ${drawn}. Output: ${shown}.`,
  );
}

function inDrawing(selector) {
  return byId("cell-drawing").querySelector(selector);
}

/** Fill a gate by how open it is, from 0 to 1. */
function fillGate(name, value) {
  inDrawing(`#gate-${name} .fill`).style.transform = `scaleY(${value.toFixed(3)})`;
  inDrawing(`#gate-${name} .number`).textContent = percent(value);
}

/** Fill a tank by a value from -1 to 1, from its middle on. `what` says what the value is of the number. */
function fillTank(name, value, what = "") {
  const fill = inDrawing(`#tank-${name} .fill`);
  fill.style.transform = `scaleY(${(-value).toFixed(3)})`;
  fill.classList.toggle("low", value < 0);
  inDrawing(`#tank-${name} .number`).textContent = what + signed(value);
}

/** Draw a pipe as wide as its value is large. */
function drawPipe(name, value) {
  const pipe = inDrawing(`#pipe-${name}`);
  const width = 1 + 13 * Math.abs(Math.tanh(value));
  pipe.style.strokeWidth = width.toFixed(1);
  pipe.classList.toggle("low", value < 0);
}

function stepOn(count) {
  const { reading } = state;
  const length = Math.max(1, reading.known);
  goTo(reading, (reading.at + count + length) % length);
}

/** Have characters pass, or not. */
export function drawPlaying() {
  const { isPlaying } = state;
  if (isNew("playing", isPlaying)) {
    clearInterval(timer);
    timer = isPlaying ? setInterval(() => stepOn(1), PASS) : 0;
    showText("cell-play", isPlaying ? "Pause" : "Play");
  }
}

/** Do what a person wants, also when the drawing comes into sight again. */
function want(isPlaying, steps = 0) {
  change({ isPlaying, isPlayWanted: isPlaying });
  stepOn(steps);
}

export function startCell() {
  onClick("cell-back", () => want(false, -1));
  onClick("cell-on", () => want(false, 1));
  onClick("cell-play", () => want(!state.isPlaying));
  const observer = new IntersectionObserver(
    ([{ isIntersecting }]) => change({ isPlaying: isIntersecting && state.isPlayWanted }),
    { threshold: IN_SIGHT },
  );
  observer.observe(byId("cell-drawing"));
}
