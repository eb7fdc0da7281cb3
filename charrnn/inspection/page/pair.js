/* One beginning, two texts, with the same seed: in one the number that is looked at is held at its lowest, in the other at
 * its highest. They are written at the same time. Words that tell the two apart, which were counted when the page was
 * made, are bold, and are counted here. Where there are none, there is one text only. */
"use strict";
const PAIR_LENGTH = 300; // characters, as many as where the words were counted
const pair = { texts: 0, shown: "", sides: [] };

/** Write the two texts for the take and the unit that are looked at, unless they are here already. */
function showPair() {
  const { take } = written;
  const isTold = Boolean(focus.told);
  find("low-side").hidden = find("high-side").hidden = !isTold;
  document.querySelector(".first").classList.toggle("of-pair", isTold);
  const { temperature, topN, topP } = take?.plan[0] || {};
  const wanted = JSON.stringify([focus.unit, take?.prime, take?.seed, temperature, topN, topP]);
  if (!take || !isTold || pair.shown === wanted) {
    return;
  }
  pair.shown = wanted;
  for (const [index, side] of pair.sides.entries()) {
    const held = { unit: focus.unit, value: valueAt(2 * index - 1) };
    Object.assign(side, { ids: [...take.prime], seen: [], start: take.prime.length, seed: take.seed, told: focus.told,
      take: ++pair.texts, plan: [{ at: 0, temperature, topN, topP, ...held }], length: PAIR_LENGTH });
    side.paper.box.ariaLabel = `Written with the number held at ${focus.ends[index]}`;
    side.paper.show({ ids: side.ids, start: side.start, recordAt: (place) => side.seen[place - side.start],
      inWorker: () => ({ of: side.of, take: side.take, start: side.start, plan: side.plan }) });
    countTold(side, index);
    followSide(side, index, take.burst);
  }
}

/** Have the worker write what is missing of a text. */
function followSide(side, index, burst = 0) {
  const { of, take, ids, start, seed, plan, length } = side;
  ask("change", { of, settings: null, speed: Number(find("speed").value), length });
  ask(of, { take, ids, start, seed, plan, burst }, ({ seen = [], drawn }) => {
    side.seen.push(...seen);
    side.ids.push(...seen.map(({ id }) => id));
    cancelAnimationFrame(side.frame);
    side.frame = requestAnimationFrame(() => {
      side.paper.grow();
      countTold(side, index);
      if (drawn !== undefined) {
        side.paper.settle();
      }
    });
  });
}

function goOnPair() {
  for (const [index, side] of pair.sides.entries()) {
    side.length = Math.min(side.seen.length + ON, MOST_WRITTEN);
    if (focus.told) {
      followSide(side, index);
    }
  }
}

/** Make the words bold that tell the texts apart, and say how often they are here. */
function countTold({ ids, start, told, paper, head }, index) {
  const text = textOf(ids.slice(start));
  const groups = told.words.map((words) => words.map((word) => word.toLowerCase()));
  const counts = [0, 0];
  for (const { index: at, 0: word } of wordsOf(text)) {
    const group = groups.findIndex((words) => words.includes(word.toLowerCase()));
    if (group >= 0) {
      const from = start + Array.from(text.slice(0, at)).length;
      counts[group]++;
      for (const cell of paper.cells.slice(from, from + Array.from(word).length)) {
        cell?.classList.add("telling", group ? "of-high" : "of-low");
      }
    }
  }
  const said = [index, 1 - index].filter((group) => groups[group].length).map((group) => (
    make("span", "", `${told.words[group].join(", ")}: `, make("b", "", counts[group]))));
  head.replaceChildren(make("b", "", focus.ends[index]), ...said);
}

/** Say how often these words were in the texts in which they were counted. */
function evidenceOf({ told, ends }) {
  const [low, free, high] = told.counts;
  const named = told.words.map((words) => words.join(", "));
  const timesOf = (counts) => named.map((words, group) => words && `${words} ${counted(counts[group], "time")}`)
    .filter(Boolean).join(" and ");
  return `In ${told.texts} texts of ${PAIR_LENGTH} characters with other seeds, held at ${ends[0]}, it wrote ${timesOf(low)}; held at ${
    ends[1]}, ${timesOf(high)}; free, ${timesOf(free)}.`;
}

function startPair() {
  pair.sides = ["low", "high"].map((of) => ({ of, paper: new Paper(of, "none"), head: find(`${of}-head`) }));
}
