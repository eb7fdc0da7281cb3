/* One beginning, two texts, with the same seed: in one the number that is looked at is held at its lowest, in the other at
 * its highest. They are written at the same time. Words that tell the two apart, which were counted when the page was
 * made, are bold, and are counted here. Where there are none, there is one text only. */
import { AT_ONCE, ON, written } from "./write.js";
import { MOST_WRITTEN } from "./link.js";
import { Paper } from "./paper.js";
import { ask, byId, make } from "./view.js";
import { counted, wordsOf } from "./text.js";
import { recordsOf, textOf, valueAt, watched } from "./shown.js";

const PAIR_LENGTH = 300; // characters, as many as where the words were counted
const AT_FIRST = 120; // of which are written without a pause
export const pair = { texts: 0, shown: "",
  sides: ["low", "high"].map((of) => ({ of, paper: new Paper(of, "none"), head: byId(`${of}-head`) })) };

/** Write the two texts for the take and the unit that are looked at, unless they are here already. */
export function showPair() {
  const { take } = written;
  const { told } = watched;
  byId("low-side").hidden = byId("high-side").hidden = !told;
  document.querySelector(".first").classList.toggle("of-pair", Boolean(told));
  const { temperature, topN, topP } = take?.plan[0] || {};
  const wanted = JSON.stringify([watched.unit, take?.prime, take?.seed, temperature, topN, topP]);
  if (!take || !told || pair.shown === wanted) {
    return;
  }
  pair.shown = wanted;
  pair.sides.forEach((side, index) => {
    const [{ of, paper }, { seed, prime: { length: start } }] = [side, take];
    const plan = [{ at: 0, temperature, topN, topP, unit: watched.unit, value: valueAt(2 * index - 1) }];
    const job = { take: ++pair.texts, ids: [...take.prime], start, seed, plan };
    Object.assign(side, { job, ids: job.ids, seen: [], told, start, length: PAIR_LENGTH });
    paper.onChange = () => countTold(side, index);
    paper.box.ariaLabel = `Written with the number held at ${watched.ends[index]}`;
    paper.show({ ids: job.ids, start, recordAt: (place) => side.seen[place - start], inWorker: () => ({ ...job, of }) });
    followSide(side, take.burst && Math.max(AT_FIRST, take.burst - AT_ONCE));
  });
}

/** Have the worker write what is missing of a text. */
function followSide(side, burst = 0) {
  ask("change", { of: side.of, settings: null, speed: Number(byId("speed").value), length: side.length });
  ask(side.of, { ...side.job, burst }, ({ ids = [], drawn, ...found }) => {
    side.seen.push(...recordsOf(found));
    side.ids.push(...ids);
    cancelAnimationFrame(side.frame);
    side.frame = requestAnimationFrame(() => {
      side.paper.grow();
      if (drawn !== undefined) {
        side.paper.settle();
      }
    });
  });
}

export function goOnPair() {
  pair.sides.filter(({ told }) => told && watched.told).forEach((side) => {
    side.length = Math.min(side.seen.length + ON, MOST_WRITTEN);
    followSide(side);
  });
}

/** Make the words bold that tell the texts apart, and say how often they are here. */
function countTold({ ids, start, told, paper, head }, index) {
  const text = textOf(ids.slice(start));
  const groups = told.words.map((words) => words.map((word) => word.toLowerCase()));
  const counts = [0, 0];
  for (const { index: at, 0: word } of wordsOf(text)) {
    const forms = [word, word.split(/['\u2019]/)[0]].map((form) => form.toLowerCase()); // of I'm also I
    const group = groups.findIndex((words) => forms.some((form) => words.includes(form)));
    if (group >= 0) {
      const from = start + Array.from(text.slice(0, at)).length;
      counts[group]++;
      for (const cell of paper.cells.slice(from, from + Array.from(word).length)) {
        cell?.classList.add("telling", group ? "of-high" : "of-low");
      }
    }
  }
  const said = [index, 1 - index].map((group) => (
    make("span", "", `${told.words[group].join(", ")}: `, make("b", "", counts[group]))));
  head.replaceChildren(make("b", "", watched.ends[index]), ...said);
}

/** Say how often these words were in the texts in which they were counted. */
export function evidenceOf({ told: { words, counts, texts }, ends }) {
  const [low, free, high] = counts.map((times) => (
    words.map((each, group) => `${each.join(", ")} ${counted(times[group], "time")}`).join(" and ")));
  return `In ${texts} texts of ${PAIR_LENGTH} characters, held at ${ends[0]}, it wrote ${low}; held at ${
    ends[1]}, ${high}; free, ${free}.`;
}
