/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * REQUEST is a file of JSON: {model, kernel, ids, settings, seeds, length, directions, chars, strength, guards}; see engine.js for the
 * model, which may have a start, see contrast.js. Guards are {chars, words, hashes} as for a worker. ANSWER gets JSON: for each of the settings, and each seed, the ids drawn
 * after the text, with the first direction held where there is a strength. ANSWER.f32 gets the probabilities after each character,
 * float32 [T, C], and ANSWER.i8 what the page shows of the units. */
import fs from "node:fs";
import { Contrast } from "../../../charrnn/pages/shared/contrast.js";
import { normalized, powersOf } from "../../../charrnn/pages/shared/decoding.js";
import { bytesOf, Network } from "../../../charrnn/pages/shared/engine.js";
import { Guards } from "../../../charrnn/pages/shared/guards.js";
import { unpackHashes } from "../../../charrnn/pages/shared/hashes.js";
import {
  emptyText,
  readCharacter,
  useNetwork,
  useProcessors,
  Writer,
} from "../../../charrnn/pages/shared/worker.js";

const [requestFile, answerFile] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(requestFile, "utf8"));
const network = new Network(request.model, request.kernel);
const state = network.zeroState();
const { start } = request.model;
const { guards, directions = [], chars = [] } = request;
network.setDirections(directions, chars);
const processors = [];
if (guards) {
  const ofText = unpackHashes(bytesOf(guards.hashes));
  processors.push(new Guards(guards.chars, guards.words.split(" "), ofText));
}
if (start) {
  processors.push(new Contrast(new Network(start.model, request.kernel), start));
}
useNetwork(network);
useProcessors(chars, ...processors);

/** Return the ids that are drawn after the text with some settings and a seed. */
async function draw(settings, seed) {
  const text = emptyText();
  for (const id of request.ids) {
    readCharacter(text, id);
  }
  const [direction] = directions;
  const held = direction ? { direction: direction.name, value: request.strength } : {};
  const plan = [{ at: 0, ...settings, ...held }];
  const writer = new Writer(text, { start: request.ids.length, seed, plan });
  while (writer.length < request.length) {
    await writer.prepare(async () => true);
    writer.write();
  }
  return text.ids.slice(request.ids.length);
}

const activations = [];
const probabilities = [];
for (const id of request.ids) {
  network.step(id, state);
  activations.push(Buffer.from(network.activations(state).buffer));
  probabilities.push(...normalized(powersOf(network.logits(state))));
}

fs.writeFileSync(`${answerFile}.f32`, Buffer.from(Float32Array.from(probabilities).buffer));
fs.writeFileSync(`${answerFile}.i8`, Buffer.concat(activations));
const drawn = [];
for (const settings of request.settings) {
  for (const seed of request.seeds) {
    drawn.push(await draw(settings, seed));
  }
}
fs.writeFileSync(answerFile, JSON.stringify(drawn));
