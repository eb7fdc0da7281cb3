/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * REQUEST is a file of JSON: {model, kernel, ids, settings, seeds, length, directions, chars, strength, reader}; see engine.js for
 * the model, and judge.js for the reader. ANSWER gets JSON: for each of the settings, and each seed, the ids drawn
 * after the text, with the first direction held where there is a strength. ANSWER.f32 gets the probabilities after each character,
 * float32 [T, C], and ANSWER.i8 what the page shows of the units. */
import fs from "node:fs";
import { normalized, powersOf } from "../../../charrnn/pages/shared/decoding.js";
import { Network } from "../../../charrnn/pages/shared/engine.js";
import { Reader } from "../../../charrnn/pages/shared/judge.js";
import {
  emptyText,
  readCharacter,
  useNetwork,
  useText,
  Writer,
} from "../../../charrnn/pages/shared/worker.js";

const [requestFile, answerFile] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(requestFile, "utf8"));
const network = new Network(request.model, request.kernel);
const state = network.zeroState();
const { reader, directions = [], chars = [] } = request;
network.setDirections(directions, chars);
useNetwork(network);
useText(chars, reader ? new Reader(reader) : null);

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
