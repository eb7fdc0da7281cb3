/* What learns beside the page: more jobs for the worker. What it writes it writes with the weights of the last look.
 *   unpack {bytes} -> {sizes} of a network in a .npz, with which `begin` can go on; {refused} says why there is none
 *   begin {text, sizes, seed, goesOn, kernels}
 *         -> {untrained, chars, passage, ...}: bestUnits of a network that has learned nothing, then what is known of a
 *            new network, or of the one that was unpacked; {refused} says why there is none
 *   learn {}       -> {updates, epoch, loss} again and again, until it is stopped; {diverged} ends it, and says to which
 *                     step it went back
 *   pace  {rate}   of what is learned from now on
 *   look  {}       -> what `read` answers of the passage with the weights of now, after which `updates`; the mean loss in
 *                     bits of what was `read` in the last steps, and of what is `held` out; `isBest`: the latter is the lowest so
 *                     far; and `units`: see bestUnits
 *   save  {isBest} -> {bytes}: of the best look, or of now */
import { TEXTS, Trainer } from "./trainer.js";
import { answers, current, network, useNetwork } from "../shared/worker.js";
import { bestUnits } from "./tracked.js";
import { bigramBits, corpusOf } from "./corpus.js";
import { initialVariables, packNpz, setVariables, sizesOf, unpackNpz, variablesOf } from "./npz.js";
import { Network } from "../shared/engine.js";

const WINDOW = 50; // M
// Windows after which the state is set to zero, also within an epoch. Otherwise, on a long text, the network would
// forget how to begin, which it does whenever it writes or reads.
const AFRESH = 40;
const RECENT = 20; // steps over which a loss is averaged
const REPORT = 250; // milliseconds between two reports
const PASSAGE = 1500; // characters that are looked at
const BEGINNING = 12; // characters, at most, of the text with which samples begin
const LARGEST = 2 ** 26; // numbers in the memory: 256 MB
let learned = null; // what `begun` returns
let unpacked = null; // {variables, vocabulary, sizes} of a file
let rate = 0.003;

const meanOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const bitsOf = (losses) => meanOf(losses) / Math.LN2;

/** Return when an update may begin, in seconds of training: the first ones are slow, so that one can watch. */
function dueAt(updates) {
  return updates < 700 ? (Math.sqrt(100 + 24 * updates) - 10) / 12 : 0;
}

/** Return the sizes of a network. @throws {Error} it does not fit in the memory */
function fitting(sizes) {
  const { lstmSize, numClasses, numLayers } = sizes;
  if (20 * lstmSize * (numClasses + 2 * numLayers * lstmSize) > LARGEST) {
    throw new Error("The network is too large for this page.");
  }
  return sizes;
}

/** Return the first words of what is learned, or the first four characters of a script without spaces, as ids. */
function beginningOf({ ids, chars }) {
  const first = Array.from(ids.subarray(0, BEGINNING));
  return first.slice(0, first.findLastIndex((id) => /\s/.test(chars[id])) + 1 || 4);
}

/** Return what learns: a trainer and its text, which are sixteen rows of a `length`, the weights that are shown, which are
 * those before any training, and those that expected best what is held out.
 * @throws {Error} the text cannot be used */
export async function begun({ text, sizes: asked, seed, goesOn, kernels }) {
  const { variables, vocabulary, sizes } = goesOn ? unpacked : { sizes: asked };
  const corpus = corpusOf(text, vocabulary);
  const trainer = new Trainer(
    fitting({ ...sizes, numClasses: corpus.chars.length }),
    WINDOW,
    kernels,
  );
  setVariables(trainer, initialVariables(trainer, seed));
  const shown = trainer.weights.slice();
  if (goesOn) {
    setVariables(trainer, variables);
  }
  const start = Math.max(0, Math.min(corpus.edge, corpus.ids.length - PASSAGE));
  const length = Math.floor((corpus.edge - 1) / TEXTS);
  return {
    trainer,
    corpus,
    shown,
    best: { weights: trainer.weights.slice(), updates: 0, loss: Infinity },
    updates: 0,
    seconds: 0,
    losses: [],
    length,
    windows: Math.floor(length / WINDOW),
    passage: Array.from(corpus.ids.subarray(start, start + PASSAGE)),
    heldFrom: corpus.edge - start,
  };
}

/** Have the network read the passage, and find the units that track something in it. */
async function readPassage({ passage, corpus: { chars } }, send, goesOn) {
  await answers.read(
    { key: "passage", pieces: [passage] },
    (answer) =>
      send({
        ...answer,
        units: bestUnits(
          passage.map((id) => chars[id]),
          answer.activations,
        ),
      }),
    goesOn,
  );
}

/** Learn from the next window, and return the loss. */
export function learnWindow(own) {
  const {
    trainer,
    corpus: { ids },
    length,
    windows,
  } = own;
  const at = own.updates++ % windows;
  if (at % AFRESH === 0) {
    trainer.reset();
  }
  const [read, next] = [0, 1].map((ahead) =>
    Int32Array.from(
      { length: WINDOW * TEXTS },
      (_, place) => ids[(place % TEXTS) * length + at * WINDOW + Math.floor(place / TEXTS) + ahead],
    ),
  );
  return trainer.learn(read, next, rate);
}

/** Go back to the best weights. Adam begins anew. */
function goBack(own) {
  const { trainer, best } = own;
  trainer.weights.set(best.weights);
  trainer.averages.fill(0);
  trainer.squares.fill(0);
  trainer.reset();
  [trainer.updates, own.updates, own.losses] = [0, best.updates, []];
}

/** Answer a job, or say why it cannot be done: an error of another kind comes from a file that is none of charrnn. */
async function answerOrRefuse(send, answer) {
  try {
    await answer();
  } catch (error) {
    send({
      refused:
        error.constructor === Error
          ? error.message
          : "The file is no model that this page can read.",
    });
  }
}

Object.assign(answers, {
  unpack({ bytes }, send) {
    return answerOrRefuse(send, async () => {
      const { variables, about } = await unpackNpz(new Uint8Array(bytes));
      const vocabulary = [...new Set(String(about.vocabulary))];
      const sizes = fitting(sizesOf(variables));
      if (sizes.lstmSize % 2 || vocabulary.length !== sizes.numClasses) {
        throw new Error(
          "The file has an odd number of units, or another number of characters than it says.",
        );
      }
      unpacked = { variables, vocabulary, sizes };
      send({ sizes });
    });
  },

  begin(message, send, goesOn) {
    for (const kind of ["learn", "look", "write", "held", "why"]) {
      // what they ask is about the network of before
      current[kind] = null;
    }
    return answerOrRefuse(send, async () => {
      learned = await begun(message);
      const { trainer, corpus, passage, heldFrom } = learned;
      const { ids, edge, chars, note } = corpus;
      useNetwork(new Network(trainer.model(learned.shown), trainer.kernel));
      await readPassage(
        learned,
        ({ units: untrained }) =>
          send({
            untrained,
            chars,
            note,
            passage,
            heldFrom,
            heldOut: ids.length - edge,
            beginning: beginningOf(corpus),
            lstmSize: trainer.lstmSize,
            bigrams: bigramBits(ids.subarray(0, edge), ids.subarray(edge), chars.length),
          }),
        goesOn,
      );
    });
  },

  async learn(_, send, goesOn) {
    const own = learned;
    let [reported, last] = [0, performance.now()];
    const report = () =>
      send({ updates: own.updates, epoch: own.updates / own.windows, loss: bitsOf(own.losses) });
    do {
      const loss = learnWindow(own);
      if (!(loss <= 2 * Math.log(own.trainer.numClasses) + 1)) {
        goBack(own);
        send({ diverged: own.updates });
        return;
      }
      own.losses = [...own.losses, loss].slice(-RECENT);
      own.seconds += Math.min(1, (performance.now() - last) / 1000); // not those in which a phone slept
      last = performance.now();
      if (last - reported >= REPORT) {
        report();
        reported = last;
      }
    } while (await goesOn(performance.now() + 1000 * (dueAt(own.updates) - own.seconds)));
    report();
  },

  pace(message) {
    rate = message.rate;
  },

  async look(_, send, goesOn) {
    const own = learned;
    const { trainer, shown, heldFrom, updates, seconds, losses } = own;
    shown.set(trainer.weights); // they stay while the training goes on
    network.matrices.forEach((matrix) => {
      network.fill(matrix);
    });
    await readPassage(
      own,
      (known) => {
        const held = meanOf(known.surprises.subarray(Math.max(1, heldFrom)));
        const isBest = held < own.best.loss;
        if (isBest) {
          own.best = { weights: shown.slice(), updates, loss: held };
        }
        send({ ...known, updates, seconds, read: bitsOf(losses), held, isBest });
      },
      goesOn,
    );
  },

  save({ isBest }, send) {
    return answerOrRefuse(send, async () => {
      const { trainer, best, corpus } = learned;
      const variables = variablesOf(
        trainer,
        isBest ? trainer.partsOf(best.weights) : trainer.arrays,
      );
      send({ bytes: await packNpz(variables, { vocabulary: corpus.chars.join("") }) });
    });
  },
});
