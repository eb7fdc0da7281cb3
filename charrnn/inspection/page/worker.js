/* What runs beside the page, in a Web Worker, so that the page never freezes. decoding.js and engine.js come before it.
 * A message to it has a `kind` and a `job`, which come back with each answer. A job ends another one of its kind.
 *   load    {model, chars}   -> {}
 *   read    {pieces}         -> {surprises, guesses, activations} for each piece, an array of ids; guesses: id, share, id ...
 *   cell    {place, layer, unit} -> {before, values} of the text that was read: the memory before, and see Network.cell
 *   write   {ids, forced, seed, skip, length, sentences}
 *           -> {read} while `ids` are read, {seen, logits} again and again, with {drawn, seconds} at last. `forced` are
 *              written first, whatever is likely; `skip` characters were drawn with the seed before
 *   change  {settings}       of what is written from now on
 *   stop    {}               ends the writing
 *   compare {ids, seed, length, settings, held}
 *           -> {held, free}: the ids that are written with units held, {layer, part, unit, value}, and without */
"use strict";

const GUESSES = 5; // of what follows, sent of each character that is read
const ALTERNATIVES = 8; // of what it could have been, sent of each character that is written
const SLICE = 100; // milliseconds of work before messages are looked at
const FRAME = 16; // milliseconds between two messages about what is written
const SENTENCE_END = /[.!?]["'\u2019\u201d)]?\s$/;
const KEPT_EVERY = 64; // characters between two states that are kept of a text

let network = null;
let chars = [];
let writeSettings = {};
let sliceEnd = 0; // when messages are looked at again
const current = {}; // from a kind to its newest job
let lastRead = null; // the text of Read,
let lastWritten = null; // and the one that was written last, so that another with the same beginning is soon read

// ---- messages

self.onmessage = async ({ data: { kind, job, ...message } }) => {
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
    await answers[kind](message, send, goesOn);
  } catch (error) {
    send({ failed: String(error) });
  }
};

// ---- texts

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

/** Return a text that was read up to a place, or as far before it as a state was kept. */
function partOf({ ids, kept }, place) {
  const index = Math.min(Math.floor(place / KEPT_EVERY), kept.length - 1);
  return index < 0 ? emptyText()
    : { ids: ids.slice(0, index * KEPT_EVERY), state: copyOf(kept[index]), kept: kept.slice(0, index) };
}

/** Draw a character and read it. Return what the page shows of it. A character that is forced takes no random number. */
function drawCharacter(text, settings, random, forced = null) {
  const logits = network.logits(text.state);
  const own = normalized(powersOf(logits));
  const kept = keptPowers(logits, settings);
  const shares = normalized(kept);
  const id = forced ?? drawId(kept, random.randomSample());
  const likely = largestIds(own, ALTERNATIVES);
  const shown = likely.includes(id) ? likely : [...likely.slice(0, -1), id];
  const guesses = shown.map((each) => ({ id: each, share: shares[each], outline: own[each] }));
  readCharacter(text, id);
  const activations = network.activations(text.state);
  return { id, isChosen: forced !== null, surprise: -Math.log2(own[id]), guesses, activations };
}

const answers = {
  load({ model, chars: known }, send) {
    network = new Network(model);
    chars = known;
    lastWritten = emptyText();
    send({});
  },

  async read({ pieces }, send, goesOn) {
    const text = emptyText();
    let expected = null;
    lastRead = text;
    for (const ids of pieces) {
      const [surprises, guesses] = [[], []];
      const length = 2 * text.state.c.length;
      const activations = new Int8Array(length * ids.length);
      for (const [place, id] of ids.entries()) {
        surprises.push(expected ? -Math.log2(expected[id]) : NaN);
        readCharacter(text, id);
        expected = normalized(powersOf(network.logits(text.state)));
        guesses.push(...largestIds(expected, GUESSES).flatMap((next) => [next, expected[next]]));
        network.activations(text.state, activations.subarray(length * place, length * (place + 1)));
        if (!await goesOn()) {
          return;
        }
      }
      send({ surprises, guesses, activations }, [activations.buffer]);
    }
  },

  async cell({ place, ...cell }, send, goesOn) {
    if (!await goesOn(performance.now() + 5)) { // of many that come with a pointer, only the last one is wanted
      return;
    }
    const text = partOf(lastRead, place);
    while (text.ids.length < place) {
      readCharacter(text, lastRead.ids[text.ids.length]);
    }
    const before = network.cell(cell, text.state)[4];
    network.step(lastRead.ids[place], text.state);
    send({ before, values: network.cell(cell, text.state) });
  },

  async write({ ids, forced, seed, skip, length, sentences = Infinity }, send, goesOn) {
    const different = ids.findIndex((id, place) => id !== lastWritten.ids[place]);
    const text = partOf(lastWritten, different < 0 ? ids.length : different);
    lastWritten = text;
    let sent = performance.now();
    while (text.ids.length < ids.length) {
      readCharacter(text, ids[text.ids.length]);
      if (performance.now() - sent >= FRAME) {
        send({ read: text.ids.length });
        sent = performance.now();
      }
      if (!await goesOn()) {
        send({ drawn: 0, seconds: 0 });
        return;
      }
    }
    const random = new RandomState(seed);
    for (let count = 0; count < skip; count++) {
      random.randomSample();
    }
    let seen = forced.map((id) => drawCharacter(text, writeSettings, random, id));
    let drawn = 0;
    let ended = 0; // sentences
    const started = performance.now();
    let next = started; // when the next character is due
    while (drawn < length && ended < sentences && await goesOn(next)) {
      seen.push(drawCharacter(text, writeSettings, random));
      drawn++;
      ended += SENTENCE_END.test(text.ids.slice(-3).map((each) => chars[each]).join("")) ? 1 : 0;
      const now = performance.now();
      next = Math.max(next, now - SLICE) + 1000 / writeSettings.speed;
      if (now - sent >= FRAME) {
        send({ seen, logits: network.logits(text.state) });
        seen = [];
        sent = now;
      }
    }
    const seconds = (performance.now() - started) / 1000;
    send({ seen, logits: network.logits(text.state), drawn, seconds });
  },

  change({ settings }) {
    writeSettings = settings;
  },

  stop() {
    current.write = null;
  },

  compare({ ids, seed, length, settings, held }, send) {
    const [other, free] = [held, []].map((units) => {
      const text = emptyText();
      const random = new RandomState(seed);
      for (const id of ids) {
        readCharacter(text, id);
      }
      text.state.held = units;
      return Array.from({ length }, () => drawCharacter(text, settings, random).id);
    });
    send({ held: other, free });
  },
};
