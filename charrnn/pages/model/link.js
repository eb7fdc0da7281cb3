/* Takes and the links to them. A take is a text that is written, see writing.js, with {prime, unit, held}: the ids of its
 * beginning, the number that is watched, and where the handle holds it, from -1 to 1, or null. A link holds all that a
 * take is made of, so that it is written again, character by character: "prime=Anna&seed=3&length=400", and what is not as
 * usual. It stands after the "#" of an address, so that nothing of it is sent anywhere. Pure functions. */
import { data, places, unitOffsets } from "./model.js";
import { encode } from "../shared/text.js";
import { chars, textOf } from "../shared/shown.js";

export const FIELDS = [
  ["temperature", "temperature", 0.1, 2],
  ["top-n", "topN", 1, Infinity],
  ["top-p", "topP", 0.05, 1],
];
const MOST_SEED = 2 ** 32 - 1;
export const MOST_WRITTEN = 10000; // characters of a take

/** Return the link of a take. `usual` are the settings that need no mention: {temperature, topN, topP}. */
export function linkOf(take, usual) {
  const [first, ...later] = take.plan;
  const { prime, seed, seen, length } = take;
  const query = new URLSearchParams({ prime: textOf(prime), seed, length: seen.length || length });
  for (const [name, key] of FIELDS) {
    if (first[key] !== usual[key]) {
      query.set(name, first[key]);
    }
  }
  if (first.unit) {
    query.set("hold", `${first.unit}:${first.value}`);
  }
  if (later.length) {
    query.set(
      "then",
      later
        .map(({ at, temperature, topN, topP, unit, value, forced }) =>
          [at, temperature, topN, topP, unit ? `${unit}:${value}` : "", forced ?? ""].join("~"),
        )
        .join("_"),
    );
  }
  query.set("unit", take.unit);
  if (take.held !== null) {
    query.set("handle", take.held);
  }
  return query.toString();
}

/** Return the take of a link. A field that makes no sense gets the nearest value that does, or the usual one.
 * @param {{settings: Object, prime: number[], seed: number, length: number, unit: string}} usual
 * @returns {{take: Object, wrong: string[]}} `wrong` names these fields */
export function takeOf(link, usual) {
  const query = new URLSearchParams(link);
  const wrong = new Set();
  const numberIn = (name, text, least, most, otherwise, isWhole = false) => {
    const value = text === null || text.trim() === "" ? NaN : Number(text);
    const near = Number.isNaN(value)
      ? otherwise
      : Math.min(Math.max(isWhole ? Math.round(value) : value, least), most);
    if (text !== null && near !== value) {
      wrong.add(name);
    }
    return near;
  };
  const heldIn = (text) => {
    const [, unit, value] = /^(\d+\/[ch]\/\d+):(-?[\d.]+)$/.exec(text || "") || [];
    const isRight = unitOffsets.has(unit) && Math.abs(value) < 1;
    if (text && !isRight) {
      wrong.add("hold");
    }
    return isRight ? { unit, value: Number(value) } : { unit: null, value: null };
  };
  const settingsIn = (texts) =>
    Object.fromEntries(
      FIELDS.map(([name, key, least, most], index) => [
        key,
        numberIn(
          name,
          texts[index],
          least,
          Math.min(most, chars.length),
          usual.settings[key],
          key === "topN",
        ),
      ]),
    );
  const { ids, note } = encode(query.get("prime") ?? textOf(usual.prime), places, data.nearest);
  if (note || !ids.length) {
    wrong.add("prime");
  }
  const plan = [
    { at: 0, ...settingsIn(FIELDS.map(([name]) => query.get(name))), ...heldIn(query.get("hold")) },
  ];
  for (const entry of query.get("then")?.split("_") || []) {
    const [at, temperature, topN, topP, held, forced] = entry.split("~");
    if (
      /^\d{1,5}$/.test(at) &&
      (!forced || (/^\d+$/.test(forced) && chars[forced])) &&
      Number(at) >= plan.at(-1).at
    ) {
      plan.push({
        at: Number(at),
        ...settingsIn([temperature, topN, topP].map((text) => text ?? null)),
        ...heldIn(held),
        ...(forced ? { forced: Number(forced) } : {}),
      });
    } else {
      wrong.add("then");
    }
  }
  const unit = query.get("unit");
  if (unit && unit !== "surprise" && !unitOffsets.has(unit)) {
    wrong.add("unit");
  }
  const prime = ids.length ? ids : usual.prime;
  const take = {
    prime,
    plan,
    seed: numberIn("seed", query.get("seed"), 0, MOST_SEED, usual.seed, true),
    length: numberIn("length", query.get("length"), 1, MOST_WRITTEN, usual.length, true),
    unit: unitOffsets.has(unit) ? unit : usual.unit,
    ids: [...prime],
    seen: [],
    held: query.has("handle") ? numberIn("handle", query.get("handle"), -1, 1, 0) : null,
  };
  return { take, wrong: [...wrong] };
}
