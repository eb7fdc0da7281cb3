/* Inside the cell: a drawing of one cell of the network with its real numbers, which move as characters pass. */
import { percent, signed } from "../shared/numbers.js";
import { chars, COLOURS } from "../shared/shown.js";
import { glyph, parseUnit, visible } from "../shared/text.js";
import { ask, byId, make, movesLittle, onClick } from "../shared/view.js";
import { unitWatched } from "./model.js";
import { goTo, reading } from "./reading.js";

const SHOWN = 56; // characters around the one that passes
const PASS = 900; // milliseconds for a character
const IN_SIGHT = 0.4; // of the drawing, so that characters pass
const cellShown = { timer: 0, isWanted: !movesLittle };

/** Show the cell of the unit that is looked at, while the network reads the character that is chosen. */
function showCell() {
  const { layer, unit } = parseUnit(unitWatched());
  const { at, known, ids, key, what } = reading;
  const isKnown = at >= 0 && at < known;
  if (!isKnown) {
    return;
  }

  byId("cell-name").textContent = `Cell ${unit} of layer ${layer}, while it reads ${what}`;
  byId("cell-character").textContent = glyph(chars[ids[at]]);
  showRibbon();
  // The step before has the memory that this one begins with. Before the first it is 0.
  const isFirst = at === 0;
  const from = isFirst ? at : at - 1;
  ask("trace", { key, from, to: at + 1, layer, unit }, ({ values }) => {
    const [, , , , memoryBefore] = values[0];
    drawCell(isFirst ? 0 : memoryBefore, values.at(-1));
  });
}

/** Show the characters around the one that passes. */
function showRibbon() {
  const { at, known, ids } = reading;
  const from = Math.max(0, Math.min(at - SHOWN / 2, ids.length - SHOWN));
  const to = Math.min(known, from + SHOWN);
  const cells = [];
  for (let place = from; place < to; place++) {
    cells.push(ribbonCell(place, place === at));
  }
  byId("ribbon").replaceChildren(...cells);
}

function ribbonCell(place, isFramed) {
  const char = chars[reading.ids[place]];
  const shown = char === "\n" ? glyph(char) : visible(char);
  const cell = make("span", isFramed ? "cell framed" : "cell", shown);
  cell.onclick = () => goTo(reading, place);
  COLOURS.unit(cell, reading.seen[place]);
  return cell;
}

/** Draw the memory before, and what a step made of it: see Network.cell. */
function drawCell(before, [input, fresh, forget, output, memory, given]) {
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
  byId("cell-sum").textContent =
    `It keeps ${percent(forget)} of its memory, lets in ${percent(input)} of the new value, ` +
    `and shows ${percent(output)} of the result. Memory: ${sum} = ${signed(memory)}, ` +
    `drawn as ${drawn}. Output: ${shown}.`;
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
  const length = Math.max(1, reading.known);
  goTo(reading, (reading.at + count + length) % length);
}

function setPlaying(isPlaying) {
  clearInterval(cellShown.timer);
  cellShown.timer = isPlaying ? setInterval(() => stepOn(1), PASS) : 0;
  byId("cell-play").textContent = isPlaying ? "Pause" : "Play";
}

/** Do what a person wants, also when the drawing comes into sight again. */
function want(isPlaying, steps = 0) {
  cellShown.isWanted = isPlaying;
  setPlaying(isPlaying);
  stepOn(steps);
}

export function startCell() {
  onClick("cell-back", () => want(false, -1));
  onClick("cell-on", () => want(false, 1));
  onClick("cell-play", () => want(cellShown.timer === 0));
  document.body.addEventListener("placechange", showCell);
  document.body.addEventListener("watchedchange", () => {
    if (reading !== null) {
      showCell();
    }
  });
  const observer = new IntersectionObserver(
    ([{ isIntersecting }]) => setPlaying(isIntersecting && cellShown.isWanted),
    { threshold: IN_SIGHT },
  );
  observer.observe(byId("cell-drawing"));
}
