/* What learns beside the page: more jobs for the worker.
 *   open   {network, chars, kernels, words}   the network that every text begins with, its characters, and the words of its
 *             language
 *   judge  {text}   -> {nats, known}: of the letters of a text, the mean surprisal, and the share that the network knows
 *   begin  {chars, ids, edge, training, rule, seed} -> {total}: how many updates there will be. `training` is the part of the
 *             text before the edge
 *   learn  {prime, writing, seed} -> {update, total, seconds, loss} again and again, with {held} where what is held out was read,
 *             and {piece} where a text was written; at last, or when it was stopped, {model}: the network that was learned
 *   rest   {} -> {model}: that of now, of a learning that was stopped
 *   reopen {model, chars, training}   a network that was learned before
 *   pack   {model, chars, about, text} -> {bytes} of a .npz for charrnn; {refused} says why there is none */
import { decodeArray, Network } from "../shared/engine.js";
import { readerOf } from "../shared/judge.js";
import { meanOf } from "../shared/numbers.js";
import { packNpz } from "../shared/npz.js";
import { quantised } from "../shared/quantised.js";
import { Trainer } from "../shared/trainer.js";
import { initialVariables, setVariables, variablesOf } from "../shared/variables.js";
import {
  answers,
  emptyText,
  network,
  readCharacter,
  useNetwork,
  useText,
  Writer,
} from "../shared/worker.js";
import { rateAt, windowsOf } from "./rule.js";

const JUDGED = 1500; // characters of a text that are judged
const MOST_HELD = 1500; // characters that are held out and read
const RECENT = 20; // updates over which a loss is averaged
const PIECE = 160; // characters
const PIECES_EVERY = 4; // seconds

let start = null; // {model, network, ids, kernels, words}: what every text begins with
let lesson = null; // what is learned

/** Return the mean surprisal of the letters of a text for the network that every text begins with, in nats. */
async function judged(text, goesOn) {
  const characters = Array.from(text).slice(0, JUDGED);
  const letters = characters.filter((char) => /\p{L}/u.test(char));
  const known = letters.filter((char) => start.ids.has(char));
  const state = start.network.zeroState();
  const nats = [];
  let logits = null;
  for (const char of characters) {
    const id = start.ids.get(char);
    if (id === undefined) {
      continue;
    }
    if (logits !== null && /\p{L}/u.test(char)) {
      nats.push(surprisalOf(logits, id));
    }
    start.network.step(id, state);
    logits = start.network.logits(state);
    await goesOn();
  }
  return { nats: meanOf(nats), known: known.length / Math.max(1, letters.length) };
}

function surprisalOf(logits, id) {
  const most = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return most + Math.log(sum) - logits[id];
}

/** Give a trainer the weights of the network that every text begins with. Characters that it lacks have new ones. */
function setStart(trainer, chars, seed) {
  const { arrays, numClasses, lstmSize, layers } = trainer;
  const first = { arrays, numClasses, lstmSize, numLayers: 1, layers: layers.slice(0, 1) };
  setVariables(first, initialVariables(first, seed));

  const widths = { table: 4 * lstmSize, softmax_kernel: lstmSize, softmax_bias: 1 };
  for (const [name, stored] of Object.entries(start.model.arrays)) {
    const values = decodeArray(stored);
    const width = widths[name];
    if (width === undefined) {
      arrays[name].set(values);
      continue;
    }
    // It has a row for each character.
    for (const [id, char] of chars.entries()) {
      const from = start.ids.get(char);
      if (from !== undefined) {
        arrays[name].set(values.subarray(from * width, (from + 1) * width), id * width);
      }
    }
  }
}

/** Learn from the next window, and return its loss before. */
function learnWindow() {
  const { trainer, ids, edge, windows, total, rule } = lesson;
  const window = trainer.updates % windows;
  if (window === 0) {
    trainer.reset();
  }
  // Each text is a row of what is learned; a step has one character of each.
  const { texts, steps } = trainer;
  const charactersFrom = (first) =>
    Int32Array.from({ length: steps * texts }, (_, place) => {
      const row = place % texts;
      const step = Math.floor(place / texts);
      const at = row * windows * steps + window * steps + first + step;
      return ids[Math.min(at, edge - 1)];
    });
  const rate = rateAt(rule, trainer.updates, total);
  return trainer.learn(charactersFrom(0), charactersFrom(1), rate);
}

/** Use the averages of the weights as they are now, of which a Network has copied the matrices. */
function showAverages() {
  for (const matrix of network.matrices) {
    network.fill(matrix);
  }
}

/** Return the mean surprisal of what is held out, in nats; null if the job is not wanted any more. */
async function heldOutLoss(goesOn) {
  const { ids, edge } = lesson;
  const held = ids.subarray(edge, edge + MOST_HELD);
  const state = network.zeroState();
  const nats = [];
  let logits = null;
  for (const id of held) {
    if (logits !== null) {
      nats.push(surprisalOf(logits, id));
    }
    network.step(id, state);
    logits = network.logits(state);
    if (!(await goesOn())) {
      return null;
    }
  }
  return meanOf(nats);
}

/** Write a piece, and return its ids. */
async function writtenPiece({ prime, writing, seed }, goesOn) {
  const text = emptyText();
  for (const id of prime) {
    readCharacter(text, id);
  }
  // It is drawn once, so that the network learns meanwhile.
  const plan = [{ at: 0, ...writing, best_of: 1 }];
  const writer = new Writer(text, { start: prime.length, seed, plan });
  while (writer.length < PIECE && (await goesOn())) {
    writer.write();
  }
  return text.ids;
}

/** Have what was learned be used, as a page holds it, and return it. */
function keepLearned() {
  const { trainer, kernel } = lesson;
  const model = quantised(trainer.model(trainer.smoothed));
  useNetwork(new Network(model, kernel));
  return model;
}

Object.assign(answers, {
  open({ network: model, chars, kernels, words }) {
    const ids = new Map(chars.map((char, id) => [char, id]));
    // The last one has all that writing needs, and every browser compiles it.
    const opened = new Network(model, kernels.at(-1));
    start = { model, network: opened, ids, kernels, words };
  },

  async judge({ text }, send, goesOn) {
    send(await judged(text, goesOn));
  },

  begin({ chars, ids, edge, training, rule, seed }, send) {
    const { model, kernels } = start;
    const { numLayers, lstmSize } = model;
    const window = { texts: rule.batch_size, steps: rule.num_steps };
    const sizes = { numClasses: chars.length, lstmSize, numLayers };
    const trainer = new Trainer(sizes, window, kernels, rule, seed);
    setStart(trainer, chars, seed);
    trainer.beginAverages();
    const windows = windowsOf(rule, edge);
    const total = rule.epochs * windows;
    const kernel = kernels.at(-1);
    lesson = { trainer, kernel, ids, edge, windows, total, rule, losses: [], seconds: 0 };
    useText(chars, readerOf(training, start.words));
    send({ total });
  },

  async learn(message, send, goesOn) {
    const { trainer, total, rule } = lesson;
    useNetwork(new Network(trainer.model(trainer.smoothed), lesson.kernel));
    let pieceAt = 0; // seconds
    const report = (more = {}) => {
      const { seconds, losses } = lesson;
      send({ update: trainer.updates, total, seconds, loss: meanOf(losses), ...more });
    };

    let isWanted = true;
    while (trainer.updates < total && isWanted) {
      const began = performance.now();
      const loss = learnWindow();
      if (!Number.isFinite(loss)) {
        throw new Error("the weights have become infinite");
      }
      lesson.losses = [...lesson.losses, loss].slice(-RECENT);
      const isMeasured = trainer.updates % rule.save_every_n === 0 || trainer.updates === total;
      const isPiece = lesson.seconds >= pieceAt;
      if (isMeasured || isPiece) {
        showAverages();
      }
      if (isMeasured) {
        report({ held: await heldOutLoss(goesOn) });
      }
      if (isPiece) {
        report({ piece: await writtenPiece({ ...message, seed: trainer.updates }, goesOn) });
        pieceAt = lesson.seconds + PIECES_EVERY;
      }
      lesson.seconds += (performance.now() - began) / 1000;
      report();
      isWanted = await goesOn();
    }
    if (trainer.updates === total) {
      report({ model: keepLearned() });
    }
  },

  rest(_, send) {
    send({ model: keepLearned() });
  },

  reopen({ model, chars, training }) {
    useNetwork(new Network(model, start.kernels.at(-1)));
    useText(chars, readerOf(training, start.words));
  },

  async pack({ model, chars, about, text }, send) {
    const { numLayers, lstmSize, arrays: stored } = model;
    const arrays = {};
    for (const [name, array] of Object.entries(stored)) {
      arrays[name] = decodeArray(array);
    }
    const layers = Array.from({ length: numLayers }, (_, layer) => ({
      kernel: `kernel_${layer}`,
      bias: `bias_${layer}`,
    }));
    const sizes = { numClasses: chars.length, lstmSize, numLayers, layers };
    try {
      const variables = variablesOf(sizes, arrays);
      const carried = { words: start.words.join("\n"), text };
      for (const [name, content] of Object.entries(carried)) {
        const bytes = new TextEncoder().encode(content);
        if (bytes.length > 0) {
          variables.set(name, { shape: [bytes.length], data: bytes });
        }
      }
      send({ bytes: await packNpz(variables, about) });
    } catch ({ message }) {
      send({ refused: message });
    }
  },
});
