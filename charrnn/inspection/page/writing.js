/* Texts that the worker writes, on either page. One is {of, number, ids, start, seen, seed, plan, length}: `of` is the kind of
 * job and `number` tells texts of a kind apart; `ids` are a beginning of `start` characters and what follows it, `seen` is
 * what is known of the characters after the beginning, and `length` how many are to be written. For the plan see worker.js. */
import { ask } from "./view.js";
import { recordsOf } from "./shown.js";

/** Have the worker write what is missing of a text. `show` is called for what is new, at most once a frame, and at last
 * with {drawn, seconds}. */
export function writeText(text, { speed = Infinity, burst = Infinity }, show) {
  const { of, number, ids, start, seed, plan, length } = text;
  ask("change", { of, settings: null, speed, length });
  ask(of, { take: number, ids, start, seed, plan, burst }, ({ ids: more = [], plan: now = plan, drawn, seconds, ...found }) => {
    text.ids.push(...more);
    text.seen.push(...recordsOf(found));
    text.plan = now;
    cancelAnimationFrame(text.frame);
    text.frame = requestAnimationFrame(() => show(drawn === undefined ? null : { drawn, seconds }));
  });
}

/** Return a text as a Paper shows it, perhaps with something else behind it. */
export function onPaper(text, ids = text.ids) {
  return { ids, start: text.start, recordAt: (place) => text.seen[place - text.start],
    inWorker: () => ({ of: text.of, take: text.number, start: text.start, plan: text.plan }) };
}
