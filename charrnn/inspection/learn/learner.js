/* What learns beside the page: more jobs for the worker. worker.js comes before it, and what it needs for them.
 *   begin {text, sizes, seed, file, kernels}
 *         -> {untrained, chars, passage, ...}: bestUnits of a network that has learned nothing, then what is known of a
 *            new network, or that of a file, a .npz; {refused} says why there is none
 *   learn {once}   -> {updates, epoch, loss, speed} again and again, until it is stopped; {diverged} ends it
 *   pace  {rate}   of what is learned from now on
 *   look  {}       -> what `read` answers of the passage, and `best`: see bestUnits; with the weights of now
 *   sample, hold    as `write`, with the weights of now
 *   save  {}       -> {bytes} */
import { TEXTS, Trainer } from "./trainer.js";
import { answers, current, network, useNetwork } from "../page/worker.js";
import { bestUnits } from "./tracked.js";
import { bigramNats, corpusOf } from "./corpus.js";
import { initialVariables, packNpz, setVariables, sizesOf, unpackNpz, variablesOf } from "./npz.js";
import { makeNetwork } from "../page/engine.js";

const WINDOW = 50; // M
// Windows after which the state is set to zero, also within an epoch. Otherwise, on a long text, the network would
// forget how to begin, which it does whenever it writes or reads.
const AFRESH = 40;
const REPORT = 250; // milliseconds between two reports
const PASSAGE = 1500; // characters that are looked at
const LARGEST = 2 ** 26; // numbers in the memory: 256 MB
export let learned = null; // what `begun` returns
export let rate = 0.003;

/** Return when an update may begin, in seconds of training: the first ones are slow, so that one can watch. */
function dueAt(updates) {
  return updates < 700 ? (Math.sqrt(100 + 24 * updates) - 10) / 12 : 0;
}

/** Return what learns: a trainer and its text, which are sixteen rows of a `length`, the weights that are shown, which are
 * those before any training, and the last good ones.
 * @throws {Error} the text or the file cannot be used */
export async function begun({ text, sizes, seed, file, kernels }) {
  const { variables, about } = file ? await unpackNpz(new Uint8Array(file)) : {};
  const vocabulary = about && [...new Set(String(about.vocabulary))];
  const corpus = corpusOf(text, vocabulary);
  const own = { numClasses: corpus.chars.length, ...(file ? sizesOf(variables) : sizes) };
  if (own.lstmSize % 2 || corpus.chars.length !== own.numClasses) {
    throw new Error("The file has an odd number of units, or another number of characters than it says.");
  }
  if (20 * own.lstmSize * (own.numClasses + 2 * own.numLayers * own.lstmSize) > LARGEST) {
    throw new Error("The network is too large for this page.");
  }
  const trainer = new Trainer(own, WINDOW, kernels);
  setVariables(trainer, initialVariables(own, seed));
  const shown = trainer.weights.slice();
  if (variables) {
    setVariables(trainer, variables);
  }
  const start = Math.max(0, Math.min(corpus.edge, corpus.ids.length - PASSAGE));
  const length = Math.floor((corpus.edge - 1) / TEXTS);
  return { trainer, corpus, shown, good: { weights: trainer.weights.slice(), updates: 0 }, updates: 0, seconds: 0,
    length, windows: Math.floor(length / WINDOW), passage: Array.from(corpus.ids.subarray(start, start + PASSAGE)),
    heldFrom: corpus.edge - start };
}

/** Give the network that reads and writes the weights of now. It keeps them while the training goes on. */
function renew() {
  learned.shown.set(learned.trainer.weights);
  network.matrices?.forEach((matrix) => { network.fill(matrix); });
}

/** Have the network read the passage, and find the units that track something in it. */
async function readPassage({ passage, corpus: { chars } }, send, goesOn) {
  await answers.read({ key: "passage", pieces: [passage] }, (answer) => (
    send({ ...answer, best: bestUnits(passage.map((id) => chars[id]), answer.activations) })), goesOn);
}

/** Learn from the next window, and return the loss. */
export function learnWindow(own) {
  const { trainer, corpus: { ids }, length, windows } = own;
  const at = own.updates++ % windows;
  if (at % AFRESH === 0) {
    trainer.reset();
  }
  const [read, next] = [0, 1].map((ahead) => Int32Array.from({ length: WINDOW * TEXTS }, (_, place) => (
    ids[(place % TEXTS) * length + at * WINDOW + Math.floor(place / TEXTS) + ahead])));
  return trainer.learn(read, next, rate);
}

Object.assign(answers, {
  async begin(message, send, goesOn) {
    for (const kind of ["learn", "look", "sample", "hold", "why"]) { // what they ask is about the network of before
      current[kind] = null;
    }
    try {
      learned = await begun(message);
    } catch (error) {
      send({ refused: error.constructor === Error ? error.message : "The file is no model that this page can read." });
      return;
    }
    const { trainer, corpus: { ids, edge, chars, note }, passage, heldFrom } = learned;
    useNetwork(makeNetwork(trainer.model(learned.shown), trainer.kernel));
    await readPassage(learned, ({ best: untrained }) => (
      send({ untrained, chars, note, passage, heldFrom, isFast: Boolean(trainer.kernel),
        lstmSize: trainer.lstmSize, bigrams: bigramNats(ids.subarray(0, edge), ids.subarray(edge), chars.length) })), goesOn);
  },

  async learn({ once }, send, goesOn) {
    const own = learned;
    const { trainer, good, windows } = own;
    let [sum, count, started] = [0, 0, performance.now()];
    let last = performance.now();
    const report = () => {
      send({ updates: own.updates, epoch: own.updates / windows, loss: sum / count, seconds: own.seconds,
        speed: (1000 * count * WINDOW * TEXTS) / (last - started) });
      [sum, count, started] = [0, 0, last];
    };
    do {
      const isDue = once || performance.now() - started >= REPORT;
      const before = isDue ? trainer.weights.slice() : null; // the loss is that of the weights before the step
      const loss = learnWindow(own);
      if (!(loss <= 2 * Math.log(trainer.numClasses) + 1)) {
        trainer.weights.set(good.weights);
        trainer.averages.fill(0);
        trainer.squares.fill(0);
        trainer.reset();
        [trainer.updates, own.updates] = [0, good.updates];
        send({ diverged: good.updates });
        return;
      }
      [sum, count] = [sum + loss, count + 1];
      own.seconds += Math.min(1, (performance.now() - last) / 1000); // not those in which a phone slept
      last = performance.now();
      if (isDue) {
        report();
      }
      if (isDue && loss <= Math.log(trainer.numClasses) + 0.5) {
        Object.assign(good, { weights: before, updates: own.updates - 1 });
      }
    } while (!once && await goesOn(performance.now() + 1000 * (dueAt(own.updates) - own.seconds)));
    if (count) { // it was stopped between two reports
      report();
    }
  },

  pace(message) {
    rate = message.rate;
  },

  async look(_, ...job) {
    renew();
    await readPassage(learned, ...job);
  },

  async sample(...job) {
    renew();
    await answers.write(...job);
  },

  async save(_, send) {
    const { trainer, corpus } = learned;
    try {
      send({ bytes: await packNpz(variablesOf(trainer), { vocabulary: corpus.chars.join("") }) });
    } catch (error) {
      send({ refused: error.message });
    }
  },
});
answers.hold = answers.sample;
