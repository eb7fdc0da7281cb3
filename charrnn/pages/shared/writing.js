/* Texts that the worker writes, on either page. One is {of, number, ids, start, seen, seed, plan, length}: `of` is the kind of
 * job and `number` tells texts of a kind apart; `ids` are a beginning of `start` characters and what follows it, `seen` is
 * what is known of the characters after the beginning, and `length` how many are to be written. For the plan see worker.js. */
import { recordsOf, textOf } from "./shown.js";
import { ask } from "./view.js";
import { cutWord } from "./words.js";

let texts = 0; // that there were

/** Return a text of which nothing is written yet, which has the same settings from the first character on. */
export function newText(of, prime, { seed, length, settings }) {
  texts++;
  return {
    of,
    number: texts,
    ids: [...prime],
    start: prime.length,
    seen: [],
    seed,
    plan: [{ at: 0, ...settings }],
    length,
  };
}

/** Have the worker write what is missing of a text. `show` is called for what is new, at most once a frame, and at last
 * with {drawn, seconds}. */
export function writeText(text, { speed = Infinity, burst = Infinity }, show) {
  const { of, number, ids, start, seed, plan, length } = text;
  ask("change", { of, settings: null, speed, length });
  ask(of, { take: number, ids, start, seed, plan, burst }, (answer) => {
    const { ids: more = [], plan: newPlan = plan, drawn, seconds } = answer;
    text.ids.push(...more);
    text.seen.push(...recordsOf(answer));
    text.plan = newPlan;

    const isLast = drawn !== undefined;
    cancelAnimationFrame(text.frame);
    text.frame = requestAnimationFrame(() => show(isLast ? { drawn, seconds } : null));
  });
}

/** Leave out the word that the end of a text cuts: letters that are drawn again if the text goes on. */
export function endWithWord(text) {
  const word = cutWord(textOf(text.ids.slice(text.start)));
  text.length = text.seen.length - Array.from(word).length;
  text.seen.length = text.length;
  text.ids.length = text.start + text.length;
}

/** Return a text as a Paper shows it, perhaps with something else behind it. */
export function onPaper(text, ids = text.ids) {
  const { of, number, start } = text;
  return {
    ids,
    start,
    recordAt: (place) => text.seen[place - start],
    inWorker: () => ({ of, take: number, start, plan: text.plan }),
  };
}
