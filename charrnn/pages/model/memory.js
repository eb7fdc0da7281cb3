/* How far back the network remembers: a curve of what a letter costs after the last 1, 2, 5 ... letters, which was measured
 * when the page was made. */
import { data } from "./model.js";
import { byId } from "../shared/view.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [16, 352, 30, 150]; // of the drawing
const MOST_OF_IT = 0.9; // of what memory gives

function drawn(tag, attributes, text = "") {
  const element = document.createElementNS(byId("memory-drawing").namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.textContent = text;
  return element;
}

/** Draw the curve, and say what it shows. A text that is too short has none. */
export function showMemory() {
  const { letters, bits } = data.memory;
  byId("memory").hidden = letters.length < 2;
  const [first, last, longest] = [bits[0], bits.at(-1), letters.at(-1)];
  const points = letters.map((count, index) => ({
    count,
    cost: bits[index],
    x: LEFT + ((RIGHT - LEFT) * Math.log(count)) / Math.log(longest),
    y: BOTTOM - ((BOTTOM - TOP) * bits[index]) / Math.max(...bits),
  }));
  const labels = points.flatMap(({ count, cost, x, y }) => [
    drawn("circle", { cx: x, cy: y, r: 4 }),
    drawn("text", { x: x + 3, y: y - 8, class: "number" }, cost.toFixed(2)),
    drawn("text", { x, y: BOTTOM + 22 }, count),
  ]);
  byId("memory-drawing").append(
    drawn("path", { d: `M${LEFT} ${BOTTOM}H${RIGHT}`, class: "thin" }),
    drawn("text", { x: (LEFT + RIGHT) / 2, y: BOTTOM + 46 }, "letters that it has read"),
    drawn("polyline", { points: points.map(({ x, y }) => `${x} ${y}`).join(" ") }),
    ...labels,
  );
  const most = points.find(({ cost }) => first - cost >= MOST_OF_IT * (first - last)) || points[0];
  byId("memory-said").textContent =
    `After one letter the next one costs it ${first.toFixed(2)} bits, after ${longest} letters ${last.toFixed(
      2,
    )}. ${Math.round(100 * MOST_OF_IT)}% of what memory gives lies in the last ${most.count} letters.`;
}
