/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * The request is JSON: {model, kernel, ids, settings, seed, length}; see engine.js for the model. ANSWER gets JSON: for each of the settings the ids drawn after the text.
 * ANSWER.f32 gets the probabilities after each character, float32 [T, C], and ANSWER.i8 what the page shows of the units.
 */
import fs from "node:fs";
import { Network } from "../../../charrnn/pages/shared/engine.js";
import {
  drawId,
  keptPowers,
  normalized,
  powersOf,
  RandomState,
} from "../../../charrnn/pages/shared/decoding.js";

const [request, answer] = process.argv.slice(2);
const {
  model,
  kernel,
  ids,
  settings,
  seed,
  length,
  held = [],
} = JSON.parse(fs.readFileSync(request, "utf8"));
const network = new Network(model, kernel);
const state = { ...network.zeroState(), held };
const activations = [];
const probabilities = ids.flatMap((id) => {
  network.step(id, state);
  activations.push(Buffer.from(network.activations(state).buffer));
  return [...normalized(powersOf(network.logits(state)))];
});
const drawn = settings.map((each) => {
  const random = new RandomState(seed);
  const own = { ...state, c: state.c.slice(), h: state.h.slice() };
  return Array.from({ length }, () => {
    const id = drawId(keptPowers(network.logits(own), each), random.randomSample());
    network.step(id, own);
    return id;
  });
});
fs.writeFileSync(`${answer}.f32`, Buffer.from(Float32Array.from(probabilities).buffer));
fs.writeFileSync(`${answer}.i8`, Buffer.concat(activations));
fs.writeFileSync(answer, JSON.stringify(drawn));
