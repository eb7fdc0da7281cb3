/* What runs beside the page, in a Web Worker, so that the page never freezes.
 * A message to it has a `kind` and a `job`, which come back with each answer. A job ends another one of its kind.
 *   load    {model, kernel, directions, chars, reader}   see Network and its setDirections, and Reader
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
 * A plan says how a text is written: a list of {at, temperature, top_n, top_p, best_of, direction, value, forced}, each
 * from the character `at` after the beginning on. `direction`, unless it is null, is the name of the one that is held at `value`.
 * `forced` is an id that is written there, whatever is likely; after it the random numbers are those of the seed from the first on. */
import { drawId, keptPowers, largestIds, normalized, powersOf, RandomState } from "./decoding.js";
import { Network } from "./engine.js";
import { isBetter, Reader } from "./judge.js";
import { mayFollow } from "./quotes.js";

const GUESSES = 8; // of what a character could have been
const MOST_SENT = 64; // characters that are written, at once
const SLICE = 50; // milliseconds of work before messages are looked at
const FRAME = 16; // milliseconds between two messages about what is written
const KEPT_EVERY = 64; // characters between two states that are kept of a text
// Of sentences that are drawn at a time: charrnn/engines/sampler.py.
const SENTENCE_ENDS = ".!?…。！？\n";
const LEAST_SENTENCE = 12;
const LONGEST_SENTENCE = 160;
const CUT_ONE_OF = 4; // of the sentences are cut when all others have ended
const ROUNDS = 4; // of drawing, at most
const LEAST_SPEED = 60; // characters a second, below which fewer sentences are drawn
const LEAST_DRAWN = 4;
const SEEDS = 2 ** 32;

export let network = null;
let characters = []; // by their ids
let reader = null;
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

/** Have texts of these characters be written, for which a reader chooses the sentences. */
export function useText(chars, newReader) {
  characters = chars;
  reader = newReader;
}

/** Return a text of which nothing was read: `kept` gets the states before its characters 0, KEPT_EVERY and so on, and `ahead`
 * {ids, at}, what is left of a sentence that was drawn by the entry of a plan. */
export function emptyText() {
  return { ids: [], state: network.zeroState(), kept: [], ahead: null };
}

function stringOf(ids) {
  return ids.map((id) => characters[id]).join("");
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

  /** Draw the next sentences, if the plan says so and none is left, and take the best one. Return whether the job is still
   * wanted. */
  async prepare(goesOn) {
    const { text } = this;
    const settings = this.followPlan();
    const { at, best_of: bestOf = 1, top_n: topN } = settings;
    const isLeft = text.ahead?.at === at && text.ahead.ids.length > 0;
    // Where the most probable character is taken, all sentences are the same.
    if (bestOf <= 1 || topN === 1 || isLeft || this.isForced(settings)) {
      return true;
    }
    const began = performance.now();
    const random = randomAt(this.seed, this.plan, this.length);
    const best = await bestSentence(text, nextSeed(random), settings, goesOn);
    if (best === null) {
      return false;
    }
    text.ahead = { ids: best.ids, at };
    this.keepPace(settings, best.ids.length, (performance.now() - began) / 1000);
    return true;
  }

  /** Draw fewer sentences from the end of this one on, if it took too long. The plan says so, and with it a link. */
  keepPace(settings, length, seconds) {
    const share = length / (LEAST_SPEED * seconds);
    const { forced, best_of: bestOf, ...others } = settings;
    if (share < 1 && bestOf > LEAST_DRAWN) {
      const fewer = Math.max(LEAST_DRAWN, Math.floor(bestOf * share));
      this.plan = [...this.plan, { ...others, best_of: fewer, at: this.length + length }];
    }
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
    return drawId(powersAfter(text.ids, logits, settings), this.random.randomSample());
  }
}

/** Return the powers of the characters that may come after a text. Where nothing is left to draw, they are those of the
 * network. */
function powersAfter(ids, own, settings) {
  if (!settings.direction) {
    return keptPowers(own, settings);
  }
  const may = mayFollow(characters, stringOf(ids), settings);
  const changed = own.map((logit, id) => (may[id] ? logit : -Infinity));
  return keptPowers(may.includes(true) ? changed : own, settings);
}

/** Return the next number of a generator as a seed. */
function nextSeed(random) {
  return Math.floor(SEEDS * random.randomSample());
}

/** Draw sentences after a text, which stays as it is, and return the best one, {ids, rank}; null if the job is not wanted any
 * more. They are drawn anew while the best one has a fault. */
async function bestSentence(text, seed, settings, goesOn) {
  const random = new RandomState(seed);
  const before = stringOf(text.ids);
  let best = null;
  for (let round = 0; round < ROUNDS && (best === null || best.rank.faults > 0); round++) {
    const drafts = Array.from({ length: settings.best_of }, () => draftOf(text, nextSeed(random)));
    if (!(await drawTogether(drafts, settings, goesOn))) {
      return null;
    }
    for (const { ids, start, expected, isWhole } of drafts) {
      const added = ids.slice(start);
      const rank = reader.rank(before, stringOf(added), expected / added.length, isWhole);
      if (best === null || isBetter(rank, best.rank)) {
        best = { ids: added, rank };
      }
    }
  }
  return best;
}

/** Return a sentence after a text of which nothing is drawn yet: `start` is where it begins in its ids, and `expected` the sum
 * of the logarithms of how probable its characters are for the network. */
function draftOf({ ids, state }, seed) {
  return {
    ids: ids.slice(),
    state: copyOf(state),
    kept: [],
    start: ids.length,
    random: new RandomState(seed),
    expected: 0,
    isWhole: false,
  };
}

/** Draw drafts character by character up to their ends. When most have ended, the others are cut. Return whether the job is
 * still wanted. */
async function drawTogether(drafts, settings, goesOn) {
  const mostCut = Math.floor(drafts.length / CUT_ONE_OF);
  let goingOn = drafts;
  for (let length = 1; length <= LONGEST_SENTENCE && goingOn.length > mostCut; length++) {
    for (const draft of goingOn) {
      const own = network.logits(draft.state);
      const id = drawId(powersAfter(draft.ids, own, settings), draft.random.randomSample());
      draft.expected += Math.log(normalized(powersOf(own))[id]);
      readCharacter(draft, id);
      draft.isWhole = length >= LEAST_SENTENCE && SENTENCE_ENDS.includes(characters[id]);
      if (!(await goesOn())) {
        return false;
      }
    }
    goingOn = goingOn.filter(({ isWhole }) => !isWhole);
  }
  return true;
}

export const answers = {
  load({ model, kernel, directions, chars, reader: known }) {
    useNetwork(new Network(model, kernel));
    useText(chars, new Reader(known));
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
