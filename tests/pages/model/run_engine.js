/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * REQUEST is a file of JSON: {model, kernel, ids, settings, seed, length, held}; see engine.js for the model. ANSWER gets
 * JSON: for each of the settings the ids drawn after the text. ANSWER.f32 gets the probabilities after each character,
 * float32 [T, C], and ANSWER.i8 what the page shows of the units. */
import fs from "node:fs";
import {
  drawId,
  keptPowers,
  normalized,
  powersOf,
  RandomState,
} from "../../../charrnn/pages/shared/decoding.js";
import { Network } from "../../../charrnn/pages/shared/engine.js";

const [requestFile, answerFile] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(requestFile, "utf8"));
const network = new Network(request.model, request.kernel);
const state = { ...network.zeroState(), held: request.held ?? [] };

/** Return the ids that are drawn after the text with some settings. */
function draw(settings) {
  const random = new RandomState(request.seed);
  const drawing = { ...state, c: state.c.slice(), h: state.h.slice() };
  return Array.from({ length: request.length }, () => {
    const powers = keptPowers(network.logits(drawing), settings);
    const id = drawId(powers, random.randomSample());
    network.step(id, drawing);
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
fs.writeFileSync(answerFile, JSON.stringify(request.settings.map(draw)));
