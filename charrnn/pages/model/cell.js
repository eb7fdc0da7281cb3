/* Inside the cell: a drawing of one cell of the network with its real numbers, which move as characters pass. */
import { COLOURS, chars, watched } from "../shared/shown.js";
import { ask, byId, make, movesLittle, onClick } from "../shared/view.js";
import { glyph, parseUnit, percent, signed, visible } from "../shared/text.js";
import { goTo, reading } from "./read.js";

const SHOWN = 56; // characters around the one that passes
const PASS = 900; // milliseconds for a character
const cellShown = { timer: 0, isWanted: !movesLittle };

/** Show the cell of the unit that is looked at, while the network reads the character that is chosen. */
export function showCell() {
  const { layer, unit } = parseUnit(watched.unit);
  const { at, known, ids, key } = reading;
  if (at < 0 || at >= known) {
    return;
  }
  const from = Math.max(0, Math.min(at - SHOWN / 2, ids.length - SHOWN));
  const to = Math.min(known, from + SHOWN);
  byId("cell-name").textContent = `Cell ${unit} of layer ${layer}, while it reads ${reading.what}`;
  byId("ribbon").replaceChildren(
    ...ids.slice(from, to).map((id, index) => {
      const place = from + index;
      const shown = chars[id] === "\n" ? "\u21b5" : visible(chars[id]);
      const cell = make("span", place === at ? "cell framed" : "cell", shown);
      cell.onclick = () => goTo(reading, place);
      COLOURS.unit(cell, reading.seen[place]);
      return cell;
    }),
  );
  byId("cell-character").textContent = glyph(chars[ids[at]]);
  ask("trace", { key, from: Math.max(0, at - 1), to: at + 1, layer, unit }, ({ values }) => {
    drawCell(at ? values[0][4] : 0, values.at(-1));
  });
}

/** Draw the memory before, and what a step made of it: see Network.cell. */
function drawCell(before, [input, fresh, forget, output, memory, given]) {
  const drawing = byId("cell-drawing");
  const [was, now] = [before, memory].map(Math.tanh);
  for (const [name, value] of Object.entries({ input, forget, output })) {
    drawing.querySelector(`#gate-${name} .fill`).style.transform = `scaleY(${value.toFixed(3)})`;
    drawing.querySelector(`#gate-${name} .number`).textContent = percent(value);
  }
  for (const [name, value] of Object.entries({ before: was, fresh, memory: now, given })) {
    const fill = drawing.querySelector(`#tank-${name} .fill`);
    fill.style.transform = `scaleY(${(-value).toFixed(3)})`;
    fill.classList.toggle("low", value < 0);
    drawing.querySelector(`#tank-${name} .number`).textContent = signed(value);
  }
  for (const [name, value] of Object.entries({
    old: before,
    kept: forget * before,
    added: input * fresh,
    new: memory,
  })) {
    const pipe = drawing.querySelector(`#pipe-${name}`);
    pipe.style.strokeWidth = (1 + 13 * Math.abs(Math.tanh(value))).toFixed(1);
    pipe.classList.toggle("low", value < 0);
  }
  const [keep, add, show, old, value, sum] = [forget, input, output, before, fresh, memory].map(
    signed,
  );
  byId("cell-sum").textContent =
    `It keeps ${percent(forget)} of its memory, lets in ${percent(input)} of the new value, and ` +
    `shows ${percent(output)} of the result: ${keep} × ${old} ${add} × ${value} = ${sum}; ${show} × tanh(${sum}) = ${signed(
      given,
    )}.`;
}

function stepOn(count) {
  const last = Math.max(1, reading.known);
  goTo(reading, (reading.at + count + last) % last);
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
  onClick("cell-play", () => want(!cellShown.timer));
  document.body.addEventListener("watchedchange", () => reading && showCell());
  new IntersectionObserver(
    ([{ isIntersecting }]) => setPlaying(isIntersecting && cellShown.isWanted),
    { threshold: 0.4 },
  ).observe(byId("cell-drawing"));
}
