/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * REQUEST is a file of JSON: {model, kernel, ids, settings, seeds, length, directions, chars, strength, guards}; see engine.js for the
 * model, which may have a start, see contrast.js. Guards are {chars, words, hashes} as for a worker. ANSWER gets JSON: for each of the settings, and each seed, the ids drawn
 * after the text, with the first direction held where there is a strength. ANSWER.f32 gets the probabilities after each character,
 * float32 [T, C], and ANSWER.i8 what the page shows of the units. */
import fs from "node:fs";
import { Contrast } from "../../../charrnn/pages/shared/contrast.js";
import {
  drawId,
  keptPowers,
  normalized,
  powersOf,
  RandomState,
} from "../../../charrnn/pages/shared/decoding.js";
import { bytesOf, Network } from "../../../charrnn/pages/shared/engine.js";
import { Guards } from "../../../charrnn/pages/shared/guards.js";
import { unpackHashes } from "../../../charrnn/pages/shared/hashes.js";

const [requestFile, answerFile] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(requestFile, "utf8"));
const network = new Network(request.model, request.kernel);
const state = network.zeroState();
network.setDirections(request.directions ?? [], request.chars ?? []);
const { start } = request.model;
const { guards } = request;
const processors = [];
if (guards) {
  const ofText = unpackHashes(bytesOf(guards.hashes));
  processors.push(new Guards(guards.chars, guards.words.split(" "), ofText));
}
if (start) {
  processors.push(new Contrast(new Network(start.model, request.kernel), start));
}

/** Return the logits to draw from after a text. */
function processed(own, text, settings) {
  return processors.reduce(
    (changed, processor) => processor.process(changed, own, text, settings),
    own,
  );
}

/** Return the ids that are drawn after the text with some settings and a seed. */
function draw(settings, seed) {
  const random = new RandomState(seed);
  const drawing = { ...state, c: state.c.slice(), h: state.h.slice() };
  if (network.directions.length > 0) {
    drawing.steered = { direction: network.directions[0], strength: request.strength };
  }
  const ids = [...request.ids];
  const text = { ids, notes: new Map() };
  return Array.from({ length: request.length }, () => {
    const logits = processed(network.logits(drawing), text, settings);
    const id = drawId(keptPowers(logits, settings), random.randomSample());
    network.step(id, drawing);
    ids.push(id);
    return id;
  });
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
const drawn = request.settings.flatMap((settings) =>
  request.seeds.map((seed) => draw(settings, seed)),
);
fs.writeFileSync(answerFile, JSON.stringify(drawn));
