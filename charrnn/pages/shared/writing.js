/* Texts that the worker writes, on either page. One is {of, number, ids, start, seen, seed, plan, length}: `of` is the kind of
 * job and `number` tells texts of a kind apart; `ids` are a beginning of `start` characters and what follows it, `seen` is
 * what is known of the characters after the beginning, and `length` how many are to be written. For the plan see worker.js. */
import { ask } from "./view.js";
import { recordsOf, textOf } from "./shown.js";
import { cutWord } from "./text.js";

/** Have the worker write what is missing of a text. `show` is called for what is new, at most once a frame, and at last
 * with {drawn, seconds}. */
export function writeText(text, { speed = Infinity, burst = Infinity }, show) {
  const { of, number, ids, start, seed, plan, length } = text;
  ask("change", { of, settings: null, speed, length });
  ask(
    of,
    { take: number, ids, start, seed, plan, burst },
    ({ ids: more = [], plan: now = plan, drawn, seconds, ...found }) => {
      text.ids.push(...more);
      text.seen.push(...recordsOf(found));
      text.plan = now;
      cancelAnimationFrame(text.frame);
      text.frame = requestAnimationFrame(() =>
        show(drawn === undefined ? null : { drawn, seconds }),
      );
    },
  );
}

/** Leave out the word that the end of a text cuts: letters that are drawn again if the text goes on. */
export function endWithWord(text) {
  text.length = text.seen.length - Array.from(cutWord(textOf(text.ids.slice(text.start)))).length;
  text.seen.length = text.length;
  text.ids.length = text.start + text.length;
}

/** Return a text as a Paper shows it, perhaps with something else behind it. */
export function onPaper(text, ids = text.ids) {
  return {
    ids,
    start: text.start,
    recordAt: (place) => text.seen[place - text.start],
    inWorker: () => ({ of: text.of, take: text.number, start: text.start, plan: text.plan }),
  };
}
