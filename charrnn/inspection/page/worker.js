/* What runs beside the page, in a Web Worker, so that the page never freezes. decoding.js and engine.js come before it.
 *
 * Messages to it have a `type`, and a `job` that comes back with each answer:
 *   load    {model}                           -> loaded {}
 *   read    {ids, piece}                      -> read {seen} again and again, done {}; a text is read in pieces, from
 *                                                0, and a piece that was read can be read again
 *   cell    {ids, piece, layer, unit}         -> cell {values} of a piece that was read, see Network.cell
 *   compare {ids, length, settings, seed, held} -> compared {held, free} again and again, done {}: what is written with
 *                                                some units held, and without
 *   expect  {ids}                             -> expected {logits}, of what follows the ids
 *   write   {ids, length, settings, seed}    -> written {ids, logits} again and again, done {drawn, seconds}
 *   more    {length, settings}                the same from where the last writing ended
 *   change  {settings}                        for the writing that is under way
 *   stop    {}                                ends the writing that is under way
 *
 * A job ends another one of its kind: to read, to expect, or to write (also with "more").
 */
"use strict";

const GUESSES = 5;
const SLICE = 40; // milliseconds of work before messages are looked at
const SENT_EVERY = 50; // milliseconds between two pieces of what was read or written

let network = null;
let sliceEnd = 0; // when messages are looked at again
const current = {}; // from a kind to the job that may still send answers: read, cell, compare, expect, write
const starts = []; // of the text that is read, for each piece {state, expected}: what was known before it
let writing = null; // where the last writing is: {state, logits, random, settings}

function send(type, job, answer = {}) {
  postMessage({ type, job, ...answer });
}

/** Let messages in where it is time for that, and wait until a time. Return whether a job is still wanted after it. */
async function goesOn(kind, job, time = 0) {
  const now = performance.now();
  if (time > now || sliceEnd < now) {
    await new Promise((resolve) => {
      setTimeout(resolve, time - now);
    });
    sliceEnd = performance.now() + SLICE;
  }
  return current[kind] === job;
}

/** Read a piece of a text and send, again and again, what the network makes of each character. */
async function read(job, ids, piece) {
  current.read = job;
  starts[0] = { state: network.zeroState(), expected: null };
  const { state, expected: before } = copyOf(starts[piece]);
  let expected = before;
  let seen = [];
  let sent = performance.now();
  for (const [place, id] of ids.entries()) {
    const surprise = expected ? -Math.log2(expected[id]) : NaN;
    network.step(id, state);
    expected = normalized(powersOf(network.logits(state)));
    seen.push(seenAfter(surprise, expected, state));
    if (performance.now() - sent >= SENT_EVERY || place === ids.length - 1) {
      send("read", job, { seen });
      seen = [];
      sent = performance.now();
    }
    if (!await goesOn("read", job)) {
      return;
    }
  }
  starts[piece + 1] = { state, expected };
  send("done", job);
}

function copyOf({ state, expected }) {
  return { state: { ...state, c: state.c.slice(), h: state.h.slice() }, expected };
}

/**
 * Return what the page shows of a character: its surprise in bits, NaN for the first of a text; the likeliest
 * characters after it; the activations.
 */
function seenAfter(surprise, expected, state) {
  const guesses = largestIds(expected, GUESSES).map((id) => ({ id, share: expected[id] }));
  return { surprise, guesses, activations: network.activations(state) };
}

/** Read a beginning and return where a writing starts, or null where another job has come. */
async function begin(kind, job, ids) {
  current[kind] = job;
  const state = network.zeroState();
  for (const id of ids) {
    network.step(id, state);
    if (!await goesOn(kind, job)) {
      return null;
    }
  }
  return { state, logits: network.logits(state) };
}

/** Draw characters after what `writing` has read and feed them back, at most `settings.speed` a second. */
async function write(job, length) {
  current.write = job;
  const mine = writing; // another writing may begin while this one waits for its end
  const started = performance.now();
  let sent = started;
  let next = started; // when the next character is due
  let drawn = 0;
  let ids = [];
  while (drawn < length && await goesOn("write", job, next)) {
    ids.push(drawCharacter(mine));
    drawn++;
    const now = performance.now();
    next = Math.max(next, now - SLICE) + 1000 / mine.settings.speed;
    if (now - sent >= SENT_EVERY) {
      send("written", job, { ids, logits: mine.logits });
      ids = [];
      sent = now;
    }
  }
  send("written", job, { ids, logits: mine.logits });
  send("done", job, { drawn, seconds: (performance.now() - started) / 1000 });
}

function drawCharacter(from) {
  const id = drawId(keptPowers(from.logits, from.settings), from.random.randomSample());
  network.step(id, from.state);
  from.logits = network.logits(from.state);
  return id;
}

const answers = {
  load({ job, model }) {
    network = new Network(model);
    send("loaded", job);
  },

  read({ job, ids, piece }) {
    return read(job, ids, piece);
  },

  async cell({ job, ids, piece, ...cell }) {
    current.cell = job;
    const { state } = copyOf(starts[piece]);
    const values = [];
    for (const id of ids) {
      network.step(id, state);
      values.push(network.cell(cell, state));
      if (!await goesOn("cell", job)) {
        return;
      }
    }
    send("cell", job, { values });
  },

  async compare({ job, ids, length, settings, seed, held }) {
    const begun = await begin("compare", job, ids);
    const both = [held, []].map((each) => begun && (
      { ...begun, state: { ...copyOf(begun).state, held: each }, random: new RandomState(seed), settings }));
    let drawn = [[], []];
    for (let place = 1; begun && place <= length && await goesOn("compare", job); place++) {
      drawn[0].push(drawCharacter(both[0]));
      drawn[1].push(drawCharacter(both[1]));
      if (place % 10 === 0 || place === length) {
        send("compared", job, { held: drawn[0], free: drawn[1] });
        drawn = [[], []];
      }
    }
    send("done", job);
  },

  async expect({ job, ids }) {
    const begun = await begin("expect", job, ids);
    if (begun) {
      send("expected", job, { logits: begun.logits });
    }
  },

  async write({ job, ids, seed, ...options }) {
    writing = null;
    const begun = await begin("write", job, ids);
    if (begun) {
      writing = { ...begun, random: new RandomState(seed) };
      await answers.more({ job, ...options });
    } else {
      send("done", job, { drawn: 0, seconds: 0 });
    }
  },

  async more({ job, length, settings }) {
    if (writing) {
      writing.settings = settings;
      await write(job, length);
    } else { // it was stopped while it read the beginning
      send("done", job, { drawn: 0, seconds: 0 });
    }
  },

  change({ settings }) {
    if (writing) {
      writing.settings = settings;
    }
  },

  stop() {
    current.write = null;
  },
};

self.onmessage = async ({ data }) => {
  try {
    await answers[data.type](data);
  } catch (error) {
    send("failed", data.job, { message: String(error) });
  }
};
