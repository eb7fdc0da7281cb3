/* One beginning and one seed, and the number that is watched held from the first letter on. At first there are two texts,
 * in which it is held at its lowest and at its highest. The handle brings one text in their place, which is written anew
 * wherever the handle goes. Words that tell the two ends apart, which were counted when the page was made, are bold, and
 * are counted here. Where there are none, the text that is written while nobody holds the number has the place of the two. */
import { AT_ONCE, ON, speedChosen, written } from "./write.js";
import { textOf, valueAt, watched } from "../shared/shown.js";
import { endWithWord, onPaper, writeText } from "../shared/writing.js";
import { Paper } from "../shared/paper.js";
import { byId, make, tint } from "../shared/view.js";
import { counted, signed, wordsOf } from "../shared/text.js";
import { MOST_WRITTEN } from "./link.js";

const COUNTED_LENGTH = 300; // characters of the texts in which the words were counted when the page was made
const LENGTH = 200; // characters, so that the texts and the handle are in sight together
const AT_FIRST = 120; // of the two texts are written without a pause
export const pair = {
  texts: 0,
  shown: "",
  sides: ["low", "high"].map((of) => ({
    of,
    paper: new Paper(of, "none"),
    head: byId(`${of}-head`),
  })),
};
// `ids` are what is shown; `before` what was shown when the handle, which may be `moving`, began to move
export const one = {
  paper: new Paper("one", "none"),
  head: byId("one-head"),
  shown: "",
  text: null,
  ids: [],
  before: [],
  moving: false,
};

/** Write the texts in which the number is held, unless they are here already. */
export function showHeld() {
  const { take } = written;
  const { told, unit } = watched;
  const isHeld = Boolean(take) && take.held !== null;
  byId("low-side").hidden = byId("high-side").hidden = !told;
  byId("one-side").hidden = !isHeld;
  const figure = document.querySelector(".first");
  figure.classList.toggle("of-pair", Boolean(told));
  figure.classList.toggle("held", isHeld);
  byId("release").textContent = told ? "Two texts" : "Let go";
  const { temperature, topN, topP } = take?.plan[0] || {};
  const wanted = JSON.stringify([unit, take?.prime, take?.seed, temperature, topN, topP]);
  if (isHeld && one.shown !== `${wanted}${take.held}`) {
    one.shown = `${wanted}${take.held}`;
    tint(one.paper.box, take.held < 0 ? "low" : "high", 0.14 * Math.abs(take.held)); // as the two texts have it
    rewrite(heldText("held", take.held));
  }
  if (take && told && pair.shown !== wanted) {
    pair.shown = wanted;
    pair.sides.forEach((side, index) => {
      Object.assign(side, { told, text: heldText(side.of, 2 * index - 1) });
      side.paper.box.ariaLabel = `Written with the number held at ${watched.ends[index]}`;
      side.paper.onChange = () => showCounts(side, countTold(side.paper, side.text, told), index);
      side.paper.show(onPaper(side.text));
      followSide(side, take.burst && Math.max(AT_FIRST, take.burst - AT_ONCE));
    });
  }
}

/** Return a text, of which nothing is written yet, in which the number is held at a position between its limits. */
function heldText(of, position) {
  const {
    prime,
    seed,
    plan: [{ temperature, topN, topP }],
  } = written.take;
  pair.texts++;
  return {
    of,
    number: pair.texts,
    ids: [...prime],
    start: prime.length,
    seen: [],
    seed,
    length: LENGTH,
    plan: [{ at: 0, temperature, topN, topP, unit: watched.unit, value: valueAt(position) }],
  };
}

/** Write the one text anew over what is shown of it, and mark the words that become others. */
function rewrite(text) {
  const shown = one.ids.length ? one.ids : written.take.ids.slice(0, text.start + LENGTH);
  one.text = text;
  if (!one.moving) {
    Object.assign(one, { before: shown, moving: true });
  }
  writeText(text, {}, (last) => {
    if (last) {
      endWithWord(text);
    }
    one.ids = [...text.ids, ...(last ? [] : shown.slice(text.ids.length))];
    one.paper.show(onPaper(text, one.ids));
    one.paper.cells.slice(text.ids.length).forEach((cell) => {
      cell.classList.add("stale");
    });
    const counts = countTold(one.paper, { ids: text.ids, start: text.start }, watched.told);
    showCounts(one, counts, 0, `held at ${signed(text.plan[0].value)}`);
    markChanged(text.start);
  });
}

/** Mark the words of the one text that are not those that stood there before. */
function markChanged(start) {
  const [now, before] = [one.ids, one.before].map((ids) => wordsOf(textOf(ids.slice(start))));
  now.forEach((word, index) => {
    if (word[0] !== before[index]?.[0]) {
      cellsOf(one.paper, one.ids, start, word).forEach((cell) => {
        cell.classList.add("changed");
      });
    }
  });
}

function followSide({ text, paper }, burst = 0) {
  writeText(text, { speed: speedChosen(), burst }, (last) => {
    if (last) {
      endWithWord(text);
      paper.show(onPaper(text));
    } else {
      paper.grow();
    }
  });
}

export function goOnPair() {
  (watched.told ? pair.sides : []).forEach((side) => {
    side.text.length = Math.min(side.text.seen.length + ON, MOST_WRITTEN);
    followSide(side);
  });
}

/** Return the cells of a word, one of wordsOf the text after its beginning. */
function cellsOf({ cells }, ids, start, { index, 0: word }) {
  const from = start + Array.from(textOf(ids.slice(start)).slice(0, index)).length;
  return cells.slice(from, from + Array.from(word).length);
}

/** Make the words bold that tell the ends apart, and return how often those of each end are here. */
function countTold(paper, { ids, start }, told) {
  const groups = (told?.words || []).map((words) => words.map((word) => word.toLowerCase()));
  const counts = [0, 0];
  for (const word of wordsOf(textOf(ids.slice(start)))) {
    const forms = [word[0], word[0].split(/['\u2019]/)[0]].map((form) => form.toLowerCase()); // of I'm also I
    const group = groups.findIndex((words) => forms.some((form) => words.includes(form)));
    if (group >= 0) {
      counts[group]++;
      cellsOf(paper, ids, start, word).forEach((cell) => {
        cell.classList.add("telling", group ? "of-high" : "of-low");
      });
    }
  }
  return counts;
}

/** Say above a text how often the words of the two ends are in it, those of its own end first. */
function showCounts({ head }, counts, index, name = watched.ends[index]) {
  const said = (watched.told ? [index, 1 - index] : []).map((group) =>
    make("span", "", `${watched.told.words[group].join(", ")}: `, make("b", "", counts[group])),
  );
  head.replaceChildren(make("b", "", name), ...said);
}

/** Say how often these words were in the texts in which they were counted. */
export function evidenceOf({ told: { words, counts, texts }, ends }) {
  const [low, free, high] = counts.map((times) =>
    words.map((each, group) => `${each.join(", ")} ${counted(times[group], "time")}`).join(" and "),
  );
  return `In ${texts} texts of ${COUNTED_LENGTH} characters, held at ${ends[0]}, it wrote ${low}; held at ${
    ends[1]
  }, ${high}; free, ${free}.`;
}
