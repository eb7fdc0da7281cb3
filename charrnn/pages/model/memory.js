/* How far back the network remembers: a curve of what a letter costs after the last 1, 2, 5 ... letters, beside what it
 * costs who counts pairs of letters. All was measured when the page was made. */
import { byId, showText } from "../shared/view.js";
import { data } from "./model.js";

// Of the drawing, as the viewBox in page.html has them.
const LEFT = 16;
const RIGHT = 352;
const TOP = 30;
const BOTTOM = 150;
const NUMBERS_BELOW = 22; // the line
const TITLE_BELOW = 46;
const ABOVE = 6; // the dotted line is its name
const PAIRS = "looking at one letter only";
const MOST_OF_IT = 0.9; // of what memory gives

function drawn(tag, attributes, text = "") {
  const element = document.createElementNS(byId("memory-drawing").namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.textContent = text;
  return element;
}

/** Return the points of the curve, {count, cost, x, y}. The scale of letters is logarithmic. */
function memoryPoints({ letters, bits }, heightOf) {
  const longest = letters.at(-1);
  return letters.map((count, index) => ({
    count,
    cost: bits[index],
    x: LEFT + ((RIGHT - LEFT) * Math.log(count)) / Math.log(longest),
    y: heightOf(bits[index]),
  }));
}

function labelsOf({ count, cost, x, y }) {
  return [
    drawn("circle", { cx: x, cy: y, r: 4 }),
    drawn("text", { x: x + 3, y: y - 8, class: "number" }, cost.toFixed(2)),
    drawn("text", { x, y: BOTTOM + NUMBERS_BELOW }, count),
  ];
}

/** Say why the network is worse than pairs after one letter, where it is. */
function beginner(cost, pairs) {
  if (cost <= pairs) {
    return "";
  }
  return " After one letter the network is worse than that: it has practised to read on, not to begin.";
}

/** Say how much of what memory gives lies in few letters, where it gives anything. */
function whatMemoryGives(points) {
  const first = points[0];
  const last = points.at(-1);
  const all = first.cost - last.cost;
  if (all <= 0) {
    return "More letters do not help it here.";
  }
  const most = points.find(({ cost }) => first.cost - cost >= MOST_OF_IT * all);
  const share = Math.round((100 * (first.cost - most.cost)) / all);
  return `${share}% of what memory gives lies in the last ${most.count} letters.`;
}

/** Draw the curve, and say what it shows. A text that is too short has none. */
export function showMemory() {
  const { bits, pairs } = data.memory;
  const dearest = Math.max(...bits, pairs);
  const heightOf = (cost) => BOTTOM - ((BOTTOM - TOP) * cost) / dearest;
  const points = memoryPoints(data.memory, heightOf);
  byId("memory").hidden = points.length < 2;
  if (points.length < 2) {
    return;
  }

  const middle = (LEFT + RIGHT) / 2;
  const line = points.map(({ x, y }) => `${x} ${y}`).join(" ");
  byId("memory-drawing").append(
    drawn("path", { d: `M${LEFT} ${BOTTOM}H${RIGHT}`, class: "thin" }),
    drawn("text", { x: middle, y: BOTTOM + TITLE_BELOW }, "letters that it has read"),
    drawn("path", { d: `M${LEFT} ${heightOf(pairs)}H${RIGHT}`, class: "pairs" }),
    drawn("text", { x: RIGHT, y: heightOf(pairs) - ABOVE, class: "pairs-said" }, PAIRS),
    drawn("polyline", { points: line }),
    ...points.flatMap(labelsOf),
  );

  const first = points[0];
  const last = points.at(-1);
  showText(
    "memory-said",
    `After one letter the next one costs it ${first.cost.toFixed(2)} bits, ` +
      `after ${last.count} letters ${last.cost.toFixed(2)}. ` +
      `${whatMemoryGives(points)} ` +
      `Dotted: who counts which letter follows which needs ${pairs.toFixed(2)} bits.${beginner(first.cost, pairs)}`,
  );
}
