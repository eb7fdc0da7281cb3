/* What runs beside the page, in a Web Worker, so that the page never freezes. decoding.js and engine.js come before it.
 *
 * Messages to it have a `type`, and a `job` that comes back with each answer:
 *   load    {model, chars}                    -> loaded {}
 *   read    {ids, piece}                      -> read {seen} again and again, done {}; a text is read in pieces, from
 *                                                0, and a piece that was read can be read again
 *   cell    {ids, piece, layer, unit}         -> cell {values} of a piece that was read, see Network.cell
 *   compare {ids, length, settings, seed, held} -> compared {held, free} again and again, done {}: what is written with
 *                                                some units held, and without
 *   expect  {ids}                             -> expected {logits}, of what follows the ids
 *   write   {take, ids, seed, length, settings, sentences}
 *           -> progress {read} while the beginning `ids` is read, begun {activations} after its last character,
 *              written {seen, logits} again and again, done {drawn, seconds}. A take that was written before goes on.
 *   change  {settings}                        for the writing that is under way
 *   stop    {}                                ends the writing that is under way
 *   forget  {take}
 *
 * A job ends another one of its kind.
 */
"use strict";

const GUESSES = 5;
const SLICE = 40; // milliseconds of work before messages are looked at
const SENT_EVERY = 50; // milliseconds between two pieces of what was read
const FRAME = 16; // milliseconds between two pieces of what was written
const ALTERNATIVES = 8; // sent of what could have been written in place of a character
const KEPT_EVERY = 64; // characters between two states that are kept of a take
const OFTEN = 10000; // after so many characters, states are kept at every 16th of these places only

let network = null;
let chars = [];
let sliceEnd = 0; // when messages are looked at again
const current = {}; // from a kind to the job that may still send answers
const starts = []; // of the text that is read, for each piece {state, expected}: what was known before it
/* By their numbers the takes of the page, each {ids, state, logits, random, settings, kept}: `kept` has states from which
 * another take with the same beginning can start, {length, state}. */
const takes = new Map();
let begun = { ids: [], kept: [] }; // what was read last of a beginning
let writing = null; // the take that is written

function send(type, job, answer = {}) {
  postMessage({ type, job, ...answer });
}

const waiting = [];
const channel = new MessageChannel();
channel.port1.onmessage = () => waiting.shift()();

/** Wait for some milliseconds. Without any, messages get in all the same; a timeout would take 4 ms for that. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    if (milliseconds > 0) {
      setTimeout(resolve, milliseconds);
    } else {
      waiting.push(resolve);
      channel.port2.postMessage(null);
    }
  });
}

/** Let messages in where it is time for that, and wait until a time. Return whether a job is still wanted after it. */
async function goesOn(kind, job, time = 0) {
  const now = performance.now();
  if (time > now || sliceEnd < now) {
    await pause(time - now);
    sliceEnd = performance.now() + SLICE;
  }
  return current[kind] === job;
}

/** Read a piece of a text and send, again and again, what the network makes of each character. */
async function read(job, ids, piece) {
  current.read = job;
  starts[0] = { state: network.zeroState(), expected: null };
  const state = copyOf(starts[piece].state);
  let { expected } = starts[piece];
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

/**
 * Return what the page shows of a character: its surprise in bits, NaN for the first of a text; the likeliest
 * characters after it; the activations.
 */
function seenAfter(surprise, expected, state) {
  const guesses = largestIds(expected, GUESSES).map((id) => ({ id, share: expected[id] }));
  return { surprise, guesses, activations: network.activations(state) };
}

function copyOf(state) {
  return { ...state, c: state.c.slice(), h: state.h.slice() };
}

/** Return a copy of the longest state that was kept of a text with the same beginning, with what was kept before it. */
function knownPart(ids) {
  const known = [begun, ...takes.values()].map((take) => {
    const different = ids.findIndex((id, place) => id !== take.ids[place]);
    return take.kept.filter(({ length }) => length <= (different < 0 ? ids.length : different));
  });
  const kept = known.reduce((most, each) => (each.length > most.length ? each : most));
  const { length, state } = kept[kept.length - 1] || { length: 0, state: network.zeroState() };
  return { ids: ids.slice(0, length), state: copyOf(state), kept };
}

/** Read a beginning, as far as it is not known yet. Return a take, or null where another job has come. */
async function begin(kind, job, ids) {
  current[kind] = job;
  const take = knownPart(ids);
  begun = take;
  let sent = performance.now();
  while (take.ids.length < ids.length) {
    readCharacter(take, ids[take.ids.length]);
    if (performance.now() - sent >= SENT_EVERY) {
      send("progress", job, { read: take.ids.length });
      sent = performance.now();
    }
    if (!await goesOn(kind, job)) {
      return null;
    }
  }
  return { ...take, ids: [...ids], kept: [...take.kept], logits: network.logits(take.state) };
}

function readCharacter({ ids, state, kept }, id) {
  network.step(id, state);
  ids.push(id);
  if (ids.length % (ids.length > OFTEN ? 16 * KEPT_EVERY : KEPT_EVERY) === 0) {
    kept.push({ length: ids.length, state: copyOf(state) });
  }
}

/** Draw characters and feed them back, `settings.speed` a second, until there are enough of them or of sentences. */
async function write(job, take, length, sentences) {
  current.write = job;
  writing = take;
  const started = performance.now();
  let sent = started;
  let next = started; // when the next character is due
  let drawn = 0;
  let ended = 0; // sentences
  let seen = [];
  while (drawn < length && ended < sentences && await goesOn("write", job, next)) {
    seen.push(drawCharacter(take));
    drawn++;
    ended += endsSentence(take.ids) ? 1 : 0;
    const now = performance.now();
    next = Math.max(next, now - SLICE) + 1000 / take.settings.speed;
    if (now - sent >= FRAME) {
      send("written", job, { seen, logits: take.logits });
      seen = [];
      sent = now;
    }
  }
  send("written", job, { seen, logits: take.logits });
  send("done", job, { drawn, seconds: (performance.now() - started) / 1000 });
}

function endsSentence(ids) {
  return /[.!?]["'\u2019\u201d)]?\s$/.test(ids.slice(-3).map((id) => chars[id]).join(""));
}

/** Draw a character. Return it with its surprise, what else it could have been, and the activations after it. */
function drawCharacter(take) {
  const own = normalized(powersOf(take.logits));
  const kept = keptPowers(take.logits, take.settings);
  const shares = normalized(kept);
  const id = drawId(kept, take.random.randomSample());
  const guesses = largestIds(own, ALTERNATIVES).map((each) => ({ id: each, share: shares[each], outline: own[each] }));
  readCharacter(take, id);
  take.logits = network.logits(take.state);
  return { id, surprise: -Math.log2(own[id]), guesses, activations: network.activations(take.state) };
}

const answers = {
  load({ job, model, chars: known }) {
    network = new Network(model);
    chars = known;
    send("loaded", job);
  },

  read({ job, ids, piece }) {
    return read(job, ids, piece);
  },

  async cell({ job, ids, piece, ...cell }) {
    current.cell = job;
    const state = copyOf(starts[piece].state);
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
    const found = await begin("compare", job, ids);
    const [one, other] = [held, []].map((units) => found && ({
      ...found, ids: [], kept: [], state: { ...copyOf(found.state), held: units }, settings,
      random: new RandomState(seed),
    }));
    let drawn = { held: [], free: [] };
    for (let place = 1; found && place <= length && await goesOn("compare", job); place++) {
      drawn.held.push(drawCharacter(one).id);
      drawn.free.push(drawCharacter(other).id);
      if (place % 10 === 0 || place === length) {
        send("compared", job, drawn);
        drawn = { held: [], free: [] };
      }
    }
    send("done", job);
  },

  async expect({ job, ids }) {
    const found = await begin("expect", job, ids);
    if (found) {
      send("expected", job, { logits: found.logits });
    }
  },

  async write({ job, take: number, ids, seed, length, settings, sentences = Infinity }) {
    let take = takes.get(number);
    if (!take) {
      take = await begin("write", job, ids);
      if (!take) {
        send("done", job, { drawn: 0, seconds: 0 });
        return;
      }
      take.random = new RandomState(seed);
      takes.set(number, take);
      send("begun", job, { activations: network.activations(take.state) });
    }
    take.settings = settings;
    await write(job, take, length, sentences);
  },

  forget({ take }) {
    takes.delete(take);
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
