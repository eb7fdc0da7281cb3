/* What runs beside the page, in a Web Worker, so that the page never freezes. decoding.js and engine.js come before it.
 * A message to it has a `kind` and a `job`, which come back with each answer. A job ends another one of its kind.
 *   load    {model, kernel}
 *   read    {key, pieces}    -> what is known of the characters of each piece, an array of ids
 *   trace   {key, from, to, layer, unit} -> {values}: for each character of a text that was read, see Network.cell
 *   why     {key, take, of, ids, start, plan, place, pieces} -> {bits}: by how many bits each piece, [from, to] before the
 *              place, made the character there more probable. `key`, or `of` and `take`, name the text
 *   write, low, high, held   {take, ids, start, seed, plan, burst}: texts at the same time -> {plan} and what is known of
 *              the next characters, again and again, with {drawn, seconds} at last. `ids` are a beginning of `start`
 *              characters and what follows it, `take` names the text, and the first `burst` come without a pause
 *   change  {of, settings, speed, length} of what is written from now on: what a plan has, or null; characters a second;
 *              how many are written in all after the beginning
 *   stop    {of}             ends the job of a kind
 * What is known: {ids, surprises, guesses, activations}, of each character a number or a row; guesses: id, share, id ...
 * A plan says how a text is written: a list of {at, temperature, topN, topP, unit, value, forced}, each from the
 * character `at` after the beginning on. `unit`, unless it is null, is held at `value`. `forced` is an id that is written
 * there, whatever is likely; after it the random numbers are those of the seed from the first on. */
import { Network } from "./engine.js";
import { RandomState, drawId, keptPowers, largestIds, normalized, powersOf } from "./decoding.js";

const GUESSES = 8; // of what a character could have been
const MOST_SENT = 64; // characters that are written, at once
const SLICE = 50; // milliseconds of work before messages are looked at
const FRAME = 16; // milliseconds between two messages about what is written
const KEPT_EVERY = 64; // characters between two states that are kept of a text

export let network = null;
const live = {}; // from a kind of text that is written to its settings now, and the speed
let sliceEnd = 0; // when messages are looked at again
export const current = {}; // from a kind to its newest job
const readTexts = {}; // from a key to the text
const lastWritten = {}; // from a kind to the text and its take, which may go on

globalThis.onmessage = async ({ data: { kind, job, ...message } }) => {
  current[kind] = job;
  const send = (answer, transfer = []) => postMessage({ kind, job, ...answer }, transfer);
  /** Let messages in where it is time for that, and wait until a time. Return whether the job is still wanted. */
  const goesOn = async (time = 0) => {
    const now = performance.now();
    if (time > now || sliceEnd < now) {
      await new Promise((resolve) => {
        setTimeout(resolve, time - now);
      });
      sliceEnd = performance.now() + SLICE;
    }
    return current[kind] === job;
  };
  try {
    await answers[kind](message, send, goesOn, kind);
  } catch (error) {
    send({ failed: String(error) });
  }
};

export function useNetwork(made) {
  network = made;
}

/** Return a text of which nothing was read: `kept` gets the states before its characters 0, KEPT_EVERY and so on. */
function emptyText() {
  return { ids: [], state: network.zeroState(), kept: [] };
}

function readCharacter({ ids, state, kept }, id) {
  if (ids.length % KEPT_EVERY === 0) {
    kept.push(copyOf(state));
  }
  network.step(id, state);
  ids.push(id);
}

function copyOf(state) {
  return { ...state, c: state.c.slice(), h: state.h.slice() };
}

/** Return a text that was read as far before a place as a state was kept. */
function partOf({ ids, kept }, place) {
  const index = Math.floor(place / KEPT_EVERY);
  return {
    ids: ids.slice(0, index * KEPT_EVERY),
    state: copyOf(kept[index]),
    kept: kept.slice(0, index),
  };
}

/** Hold the unit of an entry of a plan. */
function holdAs(state, { unit, value }) {
  const [layer, part, number] = (unit || "").split("/");
  state.held = unit ? [{ layer: Number(layer), part, unit: Number(number), value }] : [];
}

/** Return the entry of a plan that counts at a place of a text whose beginning has `start` characters. */
function entryAt(plan, start, place) {
  return plan.findLast(({ at }) => start + at <= place) || {};
}

/** What is known of characters, until it is sent. */
class Found {
  constructor(room) {
    const activations = new Int8Array(2 * network.numLayers * network.size * room);
    Object.assign(this, { ids: [], surprises: [], guesses: [], activations });
  }

  /** Add a character that was just read. `expected` are the probabilities in its place. */
  add(id, expected, state) {
    const start = 2 * state.c.length * this.ids.length;
    const likely = largestIds(expected, GUESSES);
    const shown = likely.includes(id) ? likely : [...likely.slice(0, -1), id];
    this.ids.push(id);
    this.surprises.push(-Math.log2(expected[id]));
    this.guesses.push(...shown.flatMap((each) => [each, expected[each]]));
    network.activations(state, this.activations.subarray(start, start + 2 * state.c.length));
  }

  /** Send all of it, with something more, and begin again. */
  send(send, more) {
    const activations = this.activations.slice(
      0,
      2 * network.numLayers * network.size * this.ids.length,
    );
    const [ids, surprises, guesses] = [this.ids, this.surprises, this.guesses].map((numbers) =>
      Float32Array.from(numbers.splice(0)),
    );
    send({ ids, surprises, guesses, activations, ...more }, [activations.buffer]);
  }
}

export const answers = {
  load({ model, kernel }) {
    useNetwork(new Network(model, kernel));
  },

  async read({ key, pieces }, send, goesOn) {
    const text = emptyText();
    let expected = new Float32Array(network.numClasses).fill(NaN); // nothing is, before the first character
    readTexts[key] = text;
    for (const ids of pieces) {
      const found = new Found(ids.length);
      for (const id of ids) {
        readCharacter(text, id);
        found.add(id, expected, text.state);
        expected = normalized(powersOf(network.logits(text.state)));
        if (!(await goesOn())) {
          return;
        }
      }
      found.send(send);
    }
  },

  trace({ key, from, to, ...cell }, send) {
    const text = partOf(readTexts[key], from);
    const values = [];
    while (text.ids.length < to) {
      const place = text.ids.length;
      readCharacter(text, readTexts[key].ids[place]);
      if (place >= from) {
        values.push(network.cell(cell, text.state));
      }
    }
    send({ values });
  },

  async why({ key, take, of, ids, start = 0, plan = [], place, pieces }, send, goesOn) {
    const isKnown = key || lastWritten[of]?.take === take;
    const known = key ? readTexts[key] : isKnown ? lastWritten[of].text : emptyText();
    const [[from]] = [...pieces, [place]];
    const text = known.kept.length
      ? partOf(known, Math.min(from, KEPT_EVERY * known.kept.length - 1))
      : known;
    const bitsAfter = (state) => Math.log2(normalized(powersOf(network.logits(state)))[ids[place]]);
    const bits = [];
    if (!isKnown) {
      lastWritten[of] = { take, text };
    }
    while (text.ids.length < place) {
      const without = copyOf(text.state);
      const piece = pieces.find(([first]) => first === text.ids.length);
      for (let next = piece?.[1]; next < place && (await goesOn()); next++) {
        holdAs(without, entryAt(plan, start, next));
        network.step(ids[next], without);
      }
      if (piece) {
        bits.push(bitsAfter(without));
      }
      holdAs(text.state, entryAt(plan, start, text.ids.length));
      readCharacter(text, ids[text.ids.length]);
      if (!(await goesOn())) {
        return;
      }
    }
    send({ bits: bits.map((without) => bitsAfter(text.state) - without) });
  },

  async write({ take, ids, start, seed, plan, burst }, send, goesOn, kind) {
    const last = lastWritten[kind];
    const text =
      last?.take === take && last.text.ids.length === ids.length ? last.text : emptyText();
    let sent = performance.now();
    let settings = {}; // the entry of the plan that counts
    lastWritten[kind] = { take, text };
    /** Follow the plan at the next place. */
    const turn = () => {
      settings = entryAt(plan, start, text.ids.length);
      holdAs(text.state, settings);
    };
    while (text.ids.length < ids.length) {
      turn();
      readCharacter(text, ids[text.ids.length]);
      if (!(await goesOn())) {
        send({ drawn: 0, seconds: 0 });
        return;
      }
    }
    let random = new RandomState(seed);
    const forcedBefore = plan.findLast(
      ({ at, forced }) => forced !== undefined && start + at < ids.length,
    );
    for (let count = forcedBefore ? forcedBefore.at + 1 : 0; start + count < ids.length; count++) {
      random.randomSample();
    }
    const found = new Found(MOST_SENT);
    let drawn = 0;
    const started = performance.now();
    let next = started; // when the next character is due
    while (text.ids.length - start < live[kind].length && (await goesOn(next))) {
      const at = text.ids.length - start;
      if (live[kind].settings) {
        // changed meanwhile: the rest of the plan is another
        plan = [...plan.filter((entry) => entry.at < at), { ...live[kind].settings, at }];
        live[kind].settings = null;
      }
      turn();
      const forced = settings.at === at ? settings.forced : undefined;
      if (forced !== undefined) {
        random = new RandomState(seed);
      }
      const logits = network.logits(text.state);
      const id = forced ?? drawId(keptPowers(logits, settings), random.randomSample()); // a forced one takes no number
      readCharacter(text, id);
      found.add(id, normalized(powersOf(logits)), text.state);
      drawn++;
      const now = performance.now();
      next = Math.max(next, now - SLICE) + (at < burst ? 0 : 1000 / live[kind].speed);
      if (now - sent >= FRAME || found.ids.length === MOST_SENT) {
        found.send(send, { plan });
        sent = now;
      }
    }
    found.send(send, { plan, drawn, seconds: (performance.now() - started) / 1000 });
  },

  change({ of, ...changed }) {
    live[of] = changed;
  },

  stop({ of }) {
    current[of] = null;
  },
};
Object.assign(answers, { low: answers.write, high: answers.write, held: answers.write });
