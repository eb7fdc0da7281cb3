/* What learns beside the page: more jobs for the worker. What it writes it writes with the weights of the last look.
 *   unpack {bytes} -> {sizes} of a network in a .npz, with which `begin` can go on; {refused} says why there is none
 *   begin {text, sizes, seed, goesOn, kernels}
 *         -> {chars, passage, ...}: what is known of a new network, or of the one that was unpacked; {refused} says why
 *            there is none
 *   learn {}       -> {updates, epoch, loss} again and again, until it is stopped; {diverged} ends it, and says to which
 *                     step it went back
 *   pace  {rate}   of what is learned from now on
 *   back  {}       -> {updates, epoch, loss} of the best look, to which it goes back
 *   look  {finds}  -> what `read` answers of the passage with the weights of now, after which `updates`; the mean loss in
 *                     bits of what was `read` in the last steps, and of what is `held` out; `isBest`: the latter is the lowest so
 *                     far; and `properties`: what is known of a direction for each property of the text, {name, ends, correlation},
 *                     and `untrained`, of a network that has learned nothing; of a large network only if it `finds`
 *   save  {isBest} -> {bytes}: of the best look, or of now */
import { Network } from "../shared/engine.js";
import { meanOf } from "../shared/numbers.js";
import { answers, current, network, useNetwork } from "../shared/worker.js";
import { bigramBits, corpusOf } from "./corpus.js";
import { directionsOf, propertiesOf } from "./features.js";
import { packNpz, unpackNpz } from "../shared/npz.js";
import { Trainer } from "../shared/trainer.js";
import { initialVariables, setVariables, sizesOf, variablesOf } from "../shared/variables.js";

const TEXTS = 16; // N
const WINDOW = 50; // M
// Windows after which the state is set to zero, also within an epoch. Otherwise, on a long text, the network would
// forget how to begin, which it does whenever it writes or reads.
const AFRESH = 40;
const RECENT = 20; // steps over which a loss is averaged
const REPORT = 250; // milliseconds between two reports
const PASSAGE = 1500; // characters that are looked at
const PRACTISED = 3000; // characters before them, on which probes are fitted
const BEFORE = 20000; // characters before the passage, in which quotation marks may open
const LEAST_PRACTISED = 500; // of which there may be fewer, but not too few
const BEGINNING = 12; // characters, at most, of the text with which samples begin
const BEGINNING_WITHOUT_SPACES = 4;
const LARGEST = 2 ** 26; // numbers in the memory: 256 MB
const LARGE = 256; // numbers in the memories of all layers
const SLOW_UPDATES = 700;
const LONGEST_UPDATE = 1; // second: in a longer one a phone slept
const NO_MODEL = "The file is no model that this page can read.";

let learned = null; // what `begun` returns
let unpacked = null; // {variables, vocabulary, sizes} of a file
let rate = 0.003;

function bitsOf(losses) {
  return meanOf(losses) / Math.LN2;
}

/** Return when an update may begin, in seconds of training: the first ones are slow, so that one can watch. */
function dueAt(updates) {
  if (updates >= SLOW_UPDATES) {
    return 0;
  }
  return (Math.sqrt(100 + 24 * updates) - 10) / 12;
}

/** @throws {Error} a network does not fit in the memory */
function checkSize({ lstmSize, numClasses, numLayers }) {
  if (20 * lstmSize * (numClasses + 2 * numLayers * lstmSize) > LARGEST) {
    throw new Error("The network is too large for this page.");
  }
}

/** Return the first words of what is learned, or the first four characters of a script without spaces, as ids. */
function beginningOf({ ids, chars }) {
  const first = Array.from(ids.subarray(0, BEGINNING));
  const end = first.findLastIndex((id) => /\s/.test(chars[id])) + 1;
  return first.slice(0, end || BEGINNING_WITHOUT_SPACES);
}

/** Return what learns: a trainer and its text, which are sixteen rows of a `length`, the weights that are shown, which are
 * those before any training, and those that expected best what is held out.
 * @throws {Error} the text cannot be used */
export async function begun({ text, sizes, seed, goesOn, kernels }) {
  const file = goesOn ? unpacked : null;
  const corpus = corpusOf(text, file?.vocabulary);
  const wholeSizes = { ...sizes, ...file?.sizes, numClasses: corpus.chars.length };
  checkSize(wholeSizes);

  const trainer = new Trainer(wholeSizes, { texts: TEXTS, steps: WINDOW }, kernels);
  setVariables(trainer, initialVariables(trainer, seed));
  const shown = trainer.weights.slice();
  if (file !== null) {
    setVariables(trainer, file.variables);
  }

  const { ids, edge } = corpus;
  // Rows that are long enough overlap by some characters, and so do the windows of one epoch and the next: all is read.
  const length = Math.ceil((edge - 1) / TEXTS);
  const start = Math.max(0, Math.min(edge, ids.length - PASSAGE));
  const passage = Array.from(ids.subarray(start, start + PASSAGE));
  // Of a text that is hardly longer than the passage, its first half has to do.
  const isLong = start >= LEAST_PRACTISED;
  const half = Math.floor(passage.length / 2);
  const practisedFrom = isLong ? Math.max(0, start - PRACTISED) : start;
  const practisedTo = isLong ? start : start + half;
  const measuredFrom = isLong ? 0 : half;
  const first = Math.max(0, start - BEFORE);
  const properties = propertiesOf(
    Array.from(ids.subarray(first, start + passage.length), (id) => corpus.chars[id]),
    [practisedFrom - first, practisedTo - first],
    [start + measuredFrom - first, start + passage.length - first],
  );
  return {
    trainer,
    corpus,
    shown,
    first: shown.slice(),
    untrained: null,
    best: { weights: trainer.weights.slice(), updates: 0, losses: [], loss: Infinity },
    updates: 0,
    seconds: 0,
    losses: [],
    length,
    windows: Math.floor(length / WINDOW),
    passage,
    practised: Array.from(ids.subarray(practisedFrom, practisedTo)),
    measuredFrom,
    properties,
    heldFrom: edge - start,
  };
}

/** Read a text with a network, and return the memories of all layers after each character. */
async function memoriesOf(reader, ids, goesOn) {
  const state = reader.zeroState();
  const memories = [];
  for (const id of ids) {
    reader.step(id, state);
    memories.push(state.c.slice());
    await goesOn();
  }
  return memories;
}

/** Find the directions in which the memory of a network has the properties of the text. */
async function findDirections(reader, { passage, practised, measuredFrom, properties }, goesOn) {
  const fitted = await memoriesOf(reader, practised, goesOn);
  const memories = await memoriesOf(reader, passage, goesOn);
  return directionsOf(properties, fitted, memories.slice(measuredFrom), goesOn);
}

/** Return what the page is told of directions. */
function toldOf(directions) {
  return directions.map(({ name, ends, correlation }) => ({ name, ends, correlation }));
}

/** Have the network read the passage. If it `finds`, look for the properties of the text in its memory first, and, once, in that
 * of a network that has learned nothing. */
async function readPassage(learning, finds, send, goesOn) {
  const found = { properties: null };
  if (finds) {
    if (learning.untrained === null) {
      const reader = new Network(learning.trainer.model(learning.first), learning.trainer.kernel);
      learning.untrained = toldOf(await findDirections(reader, learning, goesOn));
    }
    const directions = await findDirections(network, learning, goesOn);
    // Held between words only, a list of names would hardly change.
    network.setDirections(directions);
    found.properties = toldOf(directions);
    found.untrained = learning.untrained;
  }
  const sendFound = (answer) => send({ ...answer, ...found });
  await answers.read({ key: "passage", pieces: [learning.passage] }, sendFound, goesOn);
}

/** Learn from the next window, and return the loss. */
export function learnWindow(learning) {
  const { trainer, length, windows } = learning;
  const { ids, edge } = learning.corpus;
  const window = learning.updates % windows;
  const epoch = Math.floor(learning.updates / windows);
  learning.updates++;
  if (window % AFRESH === 0) {
    trainer.reset();
  }

  // Each text is a row of the whole text; a step has one character of each.
  // Every other epoch begins where the last window of a row ends with it.
  const left = length - windows * WINDOW;
  const start = window * WINDOW + (epoch % 2) * left;
  const charactersFrom = (from) =>
    Int32Array.from({ length: WINDOW * TEXTS }, (_, place) => {
      const row = place % TEXTS;
      const step = Math.floor(place / TEXTS);
      const rowStart = Math.round((row * (edge - 1 - length)) / (TEXTS - 1));
      return ids[rowStart + from + step];
    });
  return trainer.learn(charactersFrom(start), charactersFrom(start + 1), rate);
}

/** Return how far it has learned, with the loss in bits; null before the first step. */
function progressOf({ updates, windows, losses }) {
  const loss = losses.length > 0 ? bitsOf(losses) : null;
  return { updates, epoch: updates / windows, loss };
}

/** Go back to the best weights. Adam begins anew. */
function goBack(learning) {
  const { trainer, best } = learning;
  trainer.weights.set(best.weights);
  trainer.averages.fill(0);
  trainer.squares.fill(0);
  trainer.reset();
  trainer.updates = 0;
  learning.updates = best.updates;
  learning.losses = best.losses;
}

/** Answer a job, or say why it cannot be done: an error of this page says it. `otherwise` is said of one of another kind;
 * without it, the page does not work. */
async function answerOrRefuse(send, answer, otherwise = "") {
  try {
    await answer();
  } catch (error) {
    const isOurs = error.constructor === Error;
    if (!isOurs && otherwise === "") {
      throw error;
    }
    send({ refused: isOurs ? error.message : otherwise });
  }
}

/** Return whether it takes long to look for properties in the memory of a network: then this waits for a pause. */
function isLarge({ numLayers, lstmSize }) {
  return numLayers * lstmSize > LARGE;
}

/** Return what is known of a network before it learns. */
function description({ corpus, trainer, passage, heldFrom }) {
  const { ids, edge, chars, note } = corpus;
  return {
    isLarge: isLarge(trainer),
    chars,
    note,
    passage,
    heldFrom,
    heldOut: ids.length - edge,
    beginning: beginningOf(corpus),
    numLayers: trainer.numLayers,
    lstmSize: trainer.lstmSize,
    bigrams: bigramBits(ids.subarray(0, edge), ids.subarray(edge), chars.length),
  };
}

Object.assign(answers, {
  unpack({ bytes }, send) {
    return answerOrRefuse(
      send,
      async () => {
        const { variables, about } = await unpackNpz(new Uint8Array(bytes));
        const vocabulary = [...new Set(String(about.vocabulary))];
        const sizes = sizesOf(variables);
        checkSize(sizes);
        if (vocabulary.length !== sizes.numClasses) {
          throw new Error("The file has another number of characters than it says.");
        }
        unpacked = { variables, vocabulary, sizes };
        send({ sizes });
      },
      NO_MODEL,
    );
  },

  begin(message, send) {
    // What these ask is about the network of before.
    for (const kind of ["learn", "look", "write", "held", "why"]) {
      current[kind] = null;
    }
    return answerOrRefuse(send, async () => {
      const learning = await begun(message);
      const { trainer } = learning;
      learned = learning;
      useNetwork(new Network(trainer.model(learning.shown), trainer.kernel));
      send(description(learning));
    });
  },

  async learn(_, send, goesOn) {
    const learning = learned;
    const { trainer } = learning;
    const report = () => send(progressOf(learning));

    // Nobody who guesses blindly is as wrong as this, and NaN is not below it either.
    const most = 2 * Math.log(trainer.numClasses) + 1;
    let reported = 0;
    let last = performance.now();
    let isWanted = true;
    while (isWanted) {
      const loss = learnWindow(learning);
      const isSane = loss <= most;
      if (!isSane) {
        goBack(learning);
        send({ diverged: learning.updates });
        return;
      }

      learning.losses = [...learning.losses, loss].slice(-RECENT);
      const now = performance.now();
      learning.seconds += Math.min(LONGEST_UPDATE, (now - last) / 1000);
      last = now;
      if (now - reported >= REPORT) {
        report();
        reported = now;
      }
      const wait = dueAt(learning.updates) - learning.seconds;
      isWanted = await goesOn(performance.now() + 1000 * wait);
    }
    report();
  },

  pace(message) {
    rate = message.rate;
  },

  back(_, send) {
    goBack(learned);
    send(progressOf(learned));
  },

  async look({ finds }, send, goesOn) {
    const learning = learned;
    const { trainer, shown, heldFrom, updates, seconds, losses } = learning;
    // They stay while the training goes on.
    shown.set(trainer.weights);
    for (const matrix of network.matrices) {
      network.fill(matrix);
    }

    const sendLook = (answer) => {
      const held = meanOf(answer.surprises.subarray(Math.max(1, heldFrom)));
      const isBest = held < learning.best.loss;
      if (isBest) {
        learning.best = { weights: shown.slice(), updates, losses, loss: held };
      }
      send({ ...answer, updates, seconds, read: bitsOf(losses), held, isBest });
    };
    await readPassage(learning, finds || !isLarge(trainer), sendLook, goesOn);
  },

  save({ isBest }, send) {
    return answerOrRefuse(send, async () => {
      const { trainer, best, corpus } = learned;
      const arrays = isBest ? trainer.partsOf(best.weights) : trainer.arrays;
      const about = {
        vocabulary: corpus.chars.join(""),
        beginning: beginningOf(corpus)
          .map((id) => corpus.chars[id])
          .join(""),
      };
      const bytes = await packNpz(variablesOf(trainer, arrays), about);
      send({ bytes });
    });
  },
});
