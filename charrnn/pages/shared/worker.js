/* What runs beside the page, in a Web Worker, so that the page never freezes.
 * A message to it has a `kind` and a `job`, which come back with each answer. A job ends another one of its kind.
 *   load    {model, kernel, directions, guards}   see Network and its setDirections; `model.start`, of a network that began
 *              with another one, is {model, ids, isLetter}, see Contrast; guards are {chars, words, hashes}, where words have
 *              spaces between them and hashes are in base64, "" for none
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
 * A plan says how a text is written: a list of {at, temperature, topN, topP, contrast, noCopy, noRepeat, knownWords, bestOf,
 * direction, value, forced}, each from the character `at` after the beginning on. `direction`, unless it is null, is the name of the one that is held at `value`.
 * `forced` is an id that is written there, whatever is likely; after it the random numbers are those of the seed from the first on. */
import { Contrast } from "./contrast.js";
import { drawId, keptPowers, largestIds, normalized, powersOf, RandomState } from "./decoding.js";
import { bytesOf, Network } from "./engine.js";
import { Guards } from "./guards.js";
import { unpackHashes } from "./hashes.js";

const GUESSES = 8; // of what a character could have been
const MOST_SENT = 64; // characters that are written, at once
const SLICE = 50; // milliseconds of work before messages are looked at
const FRAME = 16; // milliseconds between two messages about what is written
const KEPT_EVERY = 64; // characters between two states that are kept of a text
// Of sentences that are drawn at a time: charrnn/engines/sampler.py.
const SENTENCE_ENDS = ".!?…。！？\n";
const LEAST_SENTENCE = 12;
const LONGEST_SENTENCE = 160;
const SEEDS = 2 ** 32;

export let network = null;
/** What changes a text while it is written, as charrnn/engines/processor.py has it. Each has `process(changed, own, text,
 * settings)`, which returns the logits to draw from: of those that the ones before it changed, those of the network, the
 * text so far and the settings of now. What one knows of a text it keeps in `text.notes`, a Map, and follows `text.ids`; `copied(note)`
 * copies it. */
export const processors = [];
const sentenceEnds = new Set(); // ids
export const current = {}; // from a kind to its newest job
const live = {}; // from a kind of text that is written to its settings now, and the speed
const readTexts = {}; // from a key to the text
const lastWritten = {}; // from a kind to the text and its take, which may go on
let sliceEnd = 0; // when messages are looked at again

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

export function useNetwork(newNetwork) {
  network = newNetwork;
}

/** Have texts of these characters be changed by these while they are written, in this order. */
export function useProcessors(chars, ...used) {
  processors.length = 0;
  processors.push(...used);
  sentenceEnds.clear();
  for (const [id, char] of chars.entries()) {
    if (SENTENCE_ENDS.includes(char)) {
      sentenceEnds.add(id);
    }
  }
}

/** Return a text of which nothing was read: `kept` gets the states before its characters 0, KEPT_EVERY and so on, and `ahead`
 * {ids, at}, what is left of a sentence that was drawn by the entry of a plan. */
export function emptyText() {
  return { ids: [], state: network.zeroState(), kept: [], notes: new Map(), ahead: null };
}

/** Return a copy of a text, which goes on without it. */
function forkOf({ ids, state, notes }) {
  const copies = Array.from(notes, ([processor, note]) => [processor, processor.copied(note)]);
  return { ...emptyText(), ids: ids.slice(), state: copyOf(state), notes: new Map(copies) };
}

export function readCharacter({ ids, state, kept }, id) {
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
  const last = KEPT_EVERY * kept.length - 1; // the states after it are not kept
  const index = Math.floor(Math.min(place, last) / KEPT_EVERY);
  return {
    ...emptyText(),
    ids: ids.slice(0, index * KEPT_EVERY),
    state: copyOf(kept[index]),
    kept: kept.slice(0, index),
  };
}

/** Hold the direction of an entry of a plan, or none. */
function holdAs(state, entry) {
  const direction = network.directions.find(({ name }) => name === entry.direction);
  state.steered = direction ? { direction, strength: entry.value } : null;
}

/** Return the entry of a plan that counts at a place of a text whose beginning has `start` characters. */
function entryAt(plan, start, place) {
  return plan.findLast(({ at }) => start + at <= place) ?? {};
}

/** Return the probabilities of the next character. */
function expectedAfter(state) {
  return normalized(powersOf(network.logits(state)));
}

/** What is known of characters, until it is sent. */
class Batch {
  constructor(room) {
    this.ids = [];
    this.surprises = [];
    this.guesses = [];
    this.width = network.width; // of the activations of a character
    this.activations = new Int8Array(this.width * room);
  }

  /** Add a character that was just read. `expected` are the probabilities in its place. */
  add(id, expected, state) {
    const guesses = largestIds(expected, GUESSES);
    if (!guesses.includes(id)) {
      guesses[guesses.length - 1] = id;
    }
    for (const guess of guesses) {
      this.guesses.push(guess, expected[guess]);
    }

    const start = this.width * this.ids.length;
    network.activations(state, this.activations.subarray(start, start + this.width));
    this.surprises.push(-Math.log2(expected[id]));
    this.ids.push(id);
  }

  /** Send all of it, with something more, and begin again. */
  send(send, more) {
    const activations = this.activations.slice(0, this.width * this.ids.length);
    const answer = {
      ids: Float32Array.from(this.ids),
      surprises: Float32Array.from(this.surprises),
      guesses: Float32Array.from(this.guesses),
      activations,
    };
    this.ids = [];
    this.surprises = [];
    this.guesses = [];
    send({ ...answer, ...more }, [activations.buffer]);
  }
}

/** Return the text that a job asks about, as far as it was read. */
function knownText({ key, take, of }) {
  if (key) {
    return readTexts[key];
  }
  if (lastWritten[of]?.take !== take) {
    lastWritten[of] = { take, text: emptyText() };
  }
  return lastWritten[of].text;
}

/** Return the random numbers of a text from its character `next` after the beginning on. */
function randomAt(seed, plan, next) {
  const random = new RandomState(seed);
  const forced = plan.findLast((entry) => entry.forced !== undefined && entry.at < next);
  const first = forced ? forced.at + 1 : 0;
  for (let place = first; place < next; place++) {
    random.randomSample();
  }
  return random;
}

/** A text that is written by a plan: what the job `write` and its like go on with. */
export class Writer {
  constructor(text, { start, seed, plan }) {
    this.text = text;
    this.start = start;
    this.seed = seed;
    this.plan = plan;
    this.random = null;
  }

  /** How many characters follow the beginning. */
  get length() {
    return this.text.ids.length - this.start;
  }

  /** Hold what the plan says for the next character, and return its settings. */
  followPlan() {
    const settings = entryAt(this.plan, this.start, this.text.ids.length);
    holdAs(this.text.state, settings);
    return settings;
  }

  /** Read a character that is there already. */
  read(id) {
    this.followPlan();
    readCharacter(this.text, id);
  }

  /** Go on with other settings: the rest of the plan is another. */
  change(settings) {
    const at = this.length;
    this.plan = [...this.plan.filter((entry) => entry.at < at), { ...settings, at }];
    this.text.ahead = null;
  }

  /** Draw the next sentences, if the plan says so and none is left, and take the one that is expected most. Return whether the
   * job is still wanted. */
  async prepare(goesOn) {
    const { text } = this;
    const settings = this.followPlan();
    const { at, bestOf = 1 } = settings;
    const isLeft = text.ahead?.at === at && text.ahead.ids.length > 0;
    if (bestOf <= 1 || isLeft || this.isForced(settings)) {
      return true;
    }
    const random = randomAt(this.seed, this.plan, this.length);
    const seeds = Array.from({ length: bestOf }, () => Math.floor(SEEDS * random.randomSample()));
    let best = null;
    for (const seed of seeds) {
      const sentence = await sentenceAfter(text, seed, settings, goesOn);
      if (sentence === null) {
        return false;
      }
      if (best === null || isBetter(sentence, best)) {
        best = sentence;
      }
    }
    text.ahead = { ids: best.ids, at };
    return true;
  }

  isForced({ at, forced }) {
    return at === this.length && forced !== undefined;
  }

  /** Write the next character, and return its id and the logits that it comes from. */
  write() {
    const settings = this.followPlan();
    const logits = network.logits(this.text.state);
    const id = this.next(logits, settings);
    readCharacter(this.text, id);
    return { id, logits };
  }

  /** Return the id that is forced, which takes no random number, the next one of a sentence, or one that is drawn. */
  next(logits, settings) {
    const { text } = this;
    if (this.isForced(settings)) {
      text.ahead = null;
      this.random = new RandomState(this.seed);
      return settings.forced;
    }
    if (text.ahead?.at === settings.at && text.ahead.ids.length > 0) {
      this.random = null;
      return text.ahead.ids.shift();
    }
    // At first the random numbers are those of this place, so that a text goes on as if it had never stopped.
    this.random ??= randomAt(this.seed, this.plan, this.length);
    return drawId(powersAfter(text, logits, settings), this.random.randomSample());
  }
}

/** Return the powers of the characters that may come after a text. Where nothing is left to draw, they are those of the
 * network. */
function powersAfter(text, own, settings) {
  let changed = own;
  for (const processor of processors) {
    changed = processor.process(changed, own, text, settings);
  }
  const isAnyLeft = changed.some((logit) => logit > -Infinity);
  return keptPowers(isAnyLeft ? changed : own, settings);
}

/** Draw a sentence after a text, which stays as it is. Return its ids, whether it has an end, and the logarithm of how probable
 * its characters are for the network, on the mean; null if the job is not wanted any more. */
async function sentenceAfter(before, seed, settings, goesOn) {
  const text = forkOf(before);
  const random = new RandomState(seed);
  const ids = [];
  let expected = 0;
  let isWhole = false;
  while (ids.length < LONGEST_SENTENCE && !isWhole) {
    const own = network.logits(text.state);
    const id = drawId(powersAfter(text, own, settings), random.randomSample());
    expected += Math.log(normalized(powersOf(own))[id]);
    readCharacter(text, id);
    ids.push(id);
    isWhole = ids.length >= LEAST_SENTENCE && sentenceEnds.has(id);
    if (!(await goesOn())) {
      return null;
    }
  }
  return { ids, isWhole, expected: expected / ids.length };
}

/** Return whether a sentence is better than another one: one with an end first, and then what is expected more. */
function isBetter({ isWhole, expected }, other) {
  return isWhole === other.isWhole ? expected > other.expected : isWhole;
}

export const answers = {
  load({ model, kernel, directions, guards: { chars, words, hashes } }) {
    useNetwork(new Network(model, kernel));
    const known = words.split(" ").filter((word) => word !== "");
    const ofText = hashes === "" ? null : unpackHashes(bytesOf(hashes));
    useProcessors(chars, new Guards(chars, known, ofText));
    if (model.start) {
      processors.push(new Contrast(new Network(model.start.model, kernel), model.start));
    }
    network.setDirections(directions, chars);
  },

  async read({ key, pieces }, send, goesOn) {
    const text = emptyText();
    readTexts[key] = text;
    // Nothing is expected before the first character.
    let expected = new Float32Array(network.numClasses).fill(NaN);
    for (const ids of pieces) {
      const batch = new Batch(ids.length);
      for (const id of ids) {
        readCharacter(text, id);
        batch.add(id, expected, text.state);
        expected = expectedAfter(text.state);
        if (!(await goesOn())) {
          return;
        }
      }
      batch.send(send);
    }
  },

  trace({ key, from, to, ...cell }, send) {
    const whole = readTexts[key];
    const text = partOf(whole, from);
    const values = [];
    while (text.ids.length < to) {
      const place = text.ids.length;
      readCharacter(text, whole.ids[place]);
      if (place >= from) {
        values.push(network.cell(cell, text.state));
      }
    }
    send({ values });
  },

  async why({ key, take, of, ids, start = 0, plan = [], place, pieces }, send, goesOn) {
    const known = knownText({ key, take, of });
    const from = pieces.length > 0 ? pieces[0][0] : place;
    const text = known.kept.length > 0 ? partOf(known, from) : known;
    const bitsAfter = (state) => Math.log2(expectedAfter(state)[ids[place]]);

    /** Read what follows a piece in a state that has not read the piece. */
    const readOn = async (state, to) => {
      for (let next = to; next < place && (await goesOn()); next++) {
        holdAs(state, entryAt(plan, start, next));
        network.step(ids[next], state);
      }
    };

    const bitsWithout = [];
    while (text.ids.length < place) {
      const at = text.ids.length;
      const piece = pieces.find(([first]) => first === at);
      if (piece) {
        const without = copyOf(text.state);
        await readOn(without, piece[1]);
        bitsWithout.push(bitsAfter(without));
      }
      holdAs(text.state, entryAt(plan, start, at));
      readCharacter(text, ids[at]);
      if (!(await goesOn())) {
        return;
      }
    }
    const bits = bitsAfter(text.state);
    send({ bits: bitsWithout.map((without) => bits - without) });
  },

  async write({ take, ids, start, seed, plan, burst }, send, goesOn, kind) {
    let sent = performance.now();
    const last = lastWritten[kind];
    const canGoOn = last?.take === take && last.text.ids.length === ids.length;
    const text = canGoOn ? last.text : emptyText();
    lastWritten[kind] = { take, text };

    const writer = new Writer(text, { start, seed, plan });
    while (text.ids.length < ids.length) {
      writer.read(ids[text.ids.length]);
      if (!(await goesOn())) {
        send({ drawn: 0, seconds: 0 });
        return;
      }
    }

    const batch = new Batch(MOST_SENT);
    const started = performance.now();
    let drawn = 0;
    let due = started; // of the next character
    while (writer.length < live[kind].length && (await goesOn(due))) {
      if (live[kind].settings) {
        writer.change(live[kind].settings);
        live[kind].settings = null;
      }
      if (!(await writer.prepare(goesOn))) {
        break;
      }
      const pause = writer.length < burst ? 0 : 1000 / live[kind].speed;
      const { id, logits } = writer.write();
      batch.add(id, normalized(powersOf(logits)), text.state);
      drawn++;

      // Of what comes late, no more than a slice is made up for.
      const now = performance.now();
      due = Math.max(due, now - SLICE) + pause;
      if (now - sent >= FRAME || batch.ids.length === MOST_SENT) {
        batch.send(send, { plan: writer.plan });
        sent = now;
      }
    }
    const seconds = (performance.now() - started) / 1000;
    batch.send(send, { plan: writer.plan, drawn, seconds });
  },

  change({ of, ...changed }) {
    live[of] = changed;
  },

  stop({ of }) {
    current[of] = null;
  },
};
Object.assign(answers, { low: answers.write, high: answers.write, held: answers.write });
