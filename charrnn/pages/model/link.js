/* Takes and the links to them. A take is a text that is written, see writing.js, with {prime, unit, held}: the ids of its
 * beginning, the unit or the direction that is watched, and where the handle holds the direction, from -1 to 1, or null. A link holds all that a
 * take is made of, so that it is written again, character by character: "prime=Anna&seed=3&length=400", and what is not as
 * usual. It stands after the "#" of an address, so that nothing of it is sent anywhere. */
import { clamped } from "../shared/numbers.js";
import { chars, textOf } from "../shared/shown.js";
import { byId, movesLittle } from "../shared/view.js";
import { newText } from "../shared/writing.js";
import { data, idsOf, isDirection, offsets, unitNames } from "./model.js";

/** The settings, as charrnn/checkpoints/writing.py declares them: {key, name, least, most, step, at_most}, with `key` in plans
 * and `name` in links. */
export const FIELDS = JSON.parse(byId("sliders").textContent);

/** Return settings as a plan has them, from those of Writing in Python. */
function asInPlan(writing) {
  return Object.fromEntries(
    FIELDS.map(({ key, least, most }) => [key, clamped(writing[key] ?? most, least, most)]),
  );
}

/** How the run writes, which the fields have at first. */
export const SETTINGS_OF_RUN = asInPlan(data.settings);

/** What a link need not say: how the page opens. */
export const USUAL = {
  settings: asInPlan(data.opening.settings),
  prime: idsOf(data.opening.prime).ids,
  seed: data.opening.seed,
  length: 600,
  unit: data.discoveries[0]?.unit ?? unitNames[0],
};

/** Return the settings of an entry of a plan. */
export function settingsOf(entry) {
  return Object.fromEntries(FIELDS.map(({ key }) => [key, entry[key]]));
}

export const AT_ONCE = 320; // characters that are written at first without a pause
export const FIRST_BURST = movesLittle ? Infinity : AT_ONCE; // of a text that nobody asked for
export const ON = 240; // characters that are written after a change
const MOST_SEED = 2 ** 32 - 1;
export const MOST_WRITTEN = 10000; // characters of a take
const HELD = /^(.+):(-?[\d.]+)$/; // "inside quotation marks:1.5"
const MOST_HELD = 10;
const FIRST_FIELDS = 3; // which stand before what is held in a link, the others after it
const GONE = ["", "", "", ""]; // settings of version 5.0, which keep their places in links
const NOT_HELD = { direction: null, value: null };

/** Return whether a take begins and draws as the page chose, and neither the reader nor a link. */
export function isOfThePage({ prime, seed }) {
  const isItsPrime = textOf(prime) === data.opening.prime;
  const seeds = [data.opening, ...data.discoveries].map((opening) => opening.seed);
  return isItsPrime && seeds.includes(seed);
}

/** Return whether a take is that with which the page opens, so that its texts stand in the document. */
export function isOpening({ unit, prime, seed, plan }) {
  const [first] = plan;
  const isUsual = Object.keys(USUAL.settings).every((key) => first[key] === USUAL.settings[key]);
  return (
    unit === USUAL.unit && seed === USUAL.seed && String(prime) === String(USUAL.prime) && isUsual
  );
}

/** Return the link of a take. */
export function linkOf(take) {
  const [first, ...later] = take.plan;
  const { prime, seed, seen, length } = take;
  const query = new URLSearchParams({ prime: textOf(prime), seed, length: seen.length || length });
  for (const { name, key } of FIELDS) {
    if (first[key] !== USUAL.settings[key]) {
      query.set(name, first[key]);
    }
  }
  if (first.direction) {
    query.set("hold", heldInLink(first));
  }
  if (later.length > 0) {
    query.set("then", later.map(entryInLink).join("_"));
  }
  query.set("unit", take.unit);
  if (take.held !== null) {
    query.set("handle", take.held);
  }
  return query.toString();
}

function heldInLink({ direction, value }) {
  return direction ? `${direction}:${value}` : "";
}

/** Return an entry of a plan as it stands in a link. */
function entryInLink(entry) {
  const { at, forced = "" } = entry;
  const values = FIELDS.map(({ key }) => entry[key]);
  const first = values.slice(0, FIRST_FIELDS);
  const others = values.slice(FIRST_FIELDS);
  return [at, ...first, heldInLink(entry), forced, ...GONE, ...others].join("~");
}

/** What reads a link. A field that makes no sense gets the nearest value that does, or the usual one, and is `wrong`. */
class LinkReader {
  constructor(link) {
    this.query = new URLSearchParams(link);
    this.wrong = new Set();
  }

  /** Return a number from a text, or null for a field that is missing. */
  number(name, text, { least, most, usual, isWhole = false }) {
    const isEmpty = text === null || text.trim() === "";
    const value = isEmpty ? NaN : Number(text);
    let nearest = usual;
    if (!Number.isNaN(value)) {
      nearest = clamped(isWhole ? Math.round(value) : value, least, most);
    }
    if (text !== null && nearest !== value) {
      this.wrong.add(name);
    }
    return nearest;
  }

  wholeNumber(name, least, most) {
    const limits = { least, most, usual: USUAL[name], isWhole: true };
    return this.number(name, this.query.get(name), limits);
  }

  /** Return the direction that is held and its value. Links of earlier pages could hold a unit. */
  held(text) {
    if (!text) {
      return NOT_HELD;
    }
    const [, direction, value] = HELD.exec(text) ?? [];
    const isRight = isDirection(direction) && Math.abs(value) < MOST_HELD;
    if (!isRight) {
      this.wrong.add("hold");
      return NOT_HELD;
    }
    return { direction, value: Number(value) };
  }

  /** Return the settings from texts in the order of FIELDS. */
  settings(texts) {
    const settings = {};
    for (const [index, { name, key, least, most, step }] of FIELDS.entries()) {
      settings[key] = this.number(name, texts[index] ?? null, {
        least,
        most,
        usual: USUAL.settings[key],
        isWhole: Number.isInteger(step),
      });
    }
    return settings;
  }

  prime() {
    const { ids, note } = idsOf(this.query.get("prime") ?? textOf(USUAL.prime));
    const isEmpty = ids.length === 0;
    if (note !== "" || isEmpty) {
      this.wrong.add("prime");
    }
    return isEmpty ? USUAL.prime : ids;
  }

  plan() {
    const texts = FIELDS.map(({ name }) => this.query.get(name));
    const settings = this.settings(texts);
    const plan = [{ at: 0, ...settings, ...this.held(this.query.get("hold")) }];
    for (const text of this.query.get("then")?.split("_") ?? []) {
      const entry = this.entry(text, plan.at(-1).at);
      if (entry === null) {
        this.wrong.add("then");
      } else {
        plan.push(entry);
      }
    }
    return plan;
  }

  /** Return an entry of a plan after the first one, or null where it makes no sense. */
  entry(text, least) {
    const [at, ...values] = text.split("~");
    const [held, forced, ...others] = values.splice(FIRST_FIELDS);
    const isPlace = /^\d{1,5}$/.test(at) && Number(at) >= least;
    const isForced = Boolean(forced);
    const isCharacter = /^\d+$/.test(forced) && forced in chars;
    if (!isPlace || (isForced && !isCharacter)) {
      return null;
    }
    const settings = this.settings([...values, ...others.slice(GONE.length)]);
    const entry = { at: Number(at), ...settings, ...this.held(held) };
    if (isForced) {
      entry.forced = Number(forced);
    }
    return entry;
  }

  unit() {
    const unit = this.query.get("unit");
    if (offsets.has(unit)) {
      return unit;
    }
    // Links of earlier pages could name the surprise.
    if (unit && unit !== "surprise") {
      this.wrong.add("unit");
    }
    return USUAL.unit;
  }

  /** Return where the handle holds what is watched, or null. Links of earlier pages could hold a unit. */
  handle(unit) {
    const text = this.query.get("handle");
    if (text !== null && !isDirection(unit)) {
      this.wrong.add("handle");
      return null;
    }
    return text === null ? null : this.number("handle", text, { least: -1, most: 1, usual: 0 });
  }
}

/** Return the take of a link.
 * @returns {{take: Object, wrong: string[]}} `wrong` names the fields that make no sense */
export function takeOf(link) {
  const reader = new LinkReader(link);
  const prime = reader.prime();
  const unit = reader.unit();
  const take = {
    ...newText("write", prime, USUAL),
    prime,
    plan: reader.plan(),
    unit,
    seed: reader.wholeNumber("seed", 0, MOST_SEED),
    length: reader.wholeNumber("length", 1, MOST_WRITTEN),
    held: reader.handle(unit),
  };
  return { take, wrong: [...reader.wrong] };
}
