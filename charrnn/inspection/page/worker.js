/* What runs beside the page, in a Web Worker, so that the page never freezes. decoding.js and engine.js come before it.
 *
 * Messages to it have a `type`, and a `job` that comes back with each answer:
 *   load    {model}                           -> loaded {}
 *   read    {ids}                             -> read {from, surprise, guesses, shares, activations} by pieces, done
 *   expect  {ids}                             -> expected {logits}, of what follows the ids
 *   write   {ids, length, settings, speed, seed} -> written {ids, logits} again and again, done {finished, drawn, seconds}
 *   more    {length, settings, speed}         the same from where the last writing ended
 *   change  {settings, speed}                 for the writing that is under way
 *   stop    {kind}                            ends the "read" or the "write" that is under way
 */
"use strict";

const GUESSES = 5;
const SLICE = 40; // milliseconds of work before messages are looked at
const SHOWN_EVERY = 50; // milliseconds between what is shown of a writing

let network = null;
const current = { read: null, expect: null, write: null }; // the jobs that may still send answers
let writing = null; // where the last writing is: {state, logits, random, settings, speed}

const rest = (milliseconds = 0) => new Promise((resolve) => {
  setTimeout(resolve, milliseconds);
});

function send(type, job, answer = {}, buffers = []) {
  postMessage({ type, job, ...answer }, buffers);
}

/** Read a text piece by piece and send what the network makes of each character. */
async function read(job, ids) {
  current.read = job;
  const state = network.zeroState();
  let logits = null;
  let from = 0;
  while (from < ids.length && current.read === job) {
    const piece = readPiece(ids, from, state, logits);
    logits = piece.logits;
    delete piece.logits;
    send("read", job, { from, ...piece }, [piece.activations.buffer]);
    from += piece.surprise.length;
    await rest();
  }
  send("done", job, { finished: from === ids.length });
}

/**
 * Read as many characters as a slice of time allows.
 *
 * For each: its surprise in bits, NaN for the first of the text; the ids and shares of the likeliest characters after it;
 * what the page shows of the state.
 */
function readPiece(ids, from, state, logitsBefore) {
  const count = Math.min(GUESSES, network.numClasses);
  const width = 2 * network.numLayers * network.size;
  const until = performance.now() + SLICE;
  const surprise = [];
  const guesses = [];
  const shares = [];
  const states = [];
  let logits = logitsBefore;
  let expected = logits && normalized(powersOf(logits));
  for (let place = from; place < ids.length && performance.now() < until; place++) {
    surprise.push(expected ? -Math.log2(expected[ids[place]]) : NaN);
    network.step(ids[place], state);
    logits = network.logits(state);
    expected = normalized(powersOf(logits));
    for (const id of largestIds(expected, count)) {
      guesses.push(id);
      shares.push(expected[id]);
    }
    const shown = new Int8Array(width);
    network.shown(state, shown);
    states.push(shown);
  }
  const activations = new Int8Array(width * states.length);
  states.forEach((shown, place) => {
    activations.set(shown, place * width);
  });
  return { surprise, guesses, shares, activations, logits };
}

/** Read a beginning and return where a writing starts, or null where another job has come. */
async function begin(job, ids, kind) {
  current[kind] = job;
  const state = network.zeroState();
  let rested = performance.now();
  for (const id of ids) {
    network.step(id, state);
    if (performance.now() - rested > SLICE) {
      await rest();
      if (current[kind] !== job) {
        return null;
      }
      rested = performance.now();
    }
  }
  return { state, logits: network.logits(state) };
}

/** Draw characters and feed them back, at most `speed` a second. */
async function write(job, length) {
  current.write = job;
  const started = performance.now();
  let drawn = 0;
  let shown = started;
  let next = started; // when the next character is due
  let unsent = [];
  while (drawn < length && current.write === job) {
    const until = performance.now() + SLICE;
    for (let now = performance.now(); drawn < length && next <= now && now < until; now = performance.now()) {
      unsent.push(drawCharacter());
      drawn++;
      next = Math.max(next, now - SLICE) + 1000 / writing.speed;
    }
    if (unsent.length && performance.now() - shown >= SHOWN_EVERY) {
      send("written", job, { ids: unsent, logits: writing.logits });
      unsent = [];
      shown = performance.now();
    }
    await rest(Math.min(next - performance.now(), SHOWN_EVERY));
  }
  send("written", job, { ids: unsent, logits: writing.logits });
  send("done", job, { finished: drawn === length, drawn, seconds: (performance.now() - started) / 1000 });
}

function drawCharacter() {
  const id = drawId(keptPowers(writing.logits, writing.settings), writing.random.randomSample());
  network.step(id, writing.state);
  writing.logits = network.logits(writing.state);
  return id;
}

const answers = {
  load({ job, model }) {
    network = new Network(model);
    send("loaded", job);
  },

  read({ job, ids }) {
    return read(job, ids);
  },

  async expect({ job, ids }) {
    const begun = await begin(job, ids, "expect");
    if (begun) {
      send("expected", job, { logits: begun.logits });
    }
  },

  async write({ job, ids, length, settings, speed, seed }) {
    writing = null;
    const begun = await begin(job, ids, "write");
    if (begun) {
      writing = { ...begun, random: new RandomState(seed) };
      await answers.more({ job, length, settings, speed });
    } else {
      send("done", job, { finished: false, drawn: 0, seconds: 0 });
    }
  },

  async more({ job, length, settings, speed }) {
    if (writing) {
      Object.assign(writing, { settings, speed });
      await write(job, length);
    } else { // it was stopped while it read the beginning
      send("done", job, { finished: false, drawn: 0, seconds: 0 });
    }
  },

  change({ settings, speed }) {
    if (writing) {
      Object.assign(writing, { settings, speed });
    }
  },

  stop({ kind }) {
    current[kind] = null;
  },
};

self.onmessage = async ({ data }) => {
  try {
    await answers[data.type](data);
  } catch (error) {
    send("failed", data.job, { message: String(error) });
  }
};
