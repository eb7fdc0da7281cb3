/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * The request is JSON: {model, ids, settings, seed, length}; see engine.js for the model. ANSWER gets JSON: for each of
 * the settings the ids drawn after the text. ANSWER.f32 gets the probabilities after each character, float32 [T, C].
 */
"use strict";

const fs = require("node:fs");
const load = require("./load.js");

const { Network } = load("engine.js", "Network");
const { powersOf, normalized, keptPowers, drawId, RandomState } = load(
  "decoding.js", "powersOf", "normalized", "keptPowers", "drawId", "RandomState");

const [request, answer] = process.argv.slice(2);
const { model, ids, settings, seed, length } = JSON.parse(fs.readFileSync(request, "utf8"));
const network = new Network(model);
const state = network.zeroState();
const probabilities = ids.flatMap((id) => {
  network.step(id, state);
  return [...normalized(powersOf(network.logits(state)))];
});
const drawn = settings.map((each) => {
  const random = new RandomState(seed);
  const own = { c: state.c.slice(), h: state.h.slice() };
  return Array.from({ length }, () => {
    const id = drawId(keptPowers(network.logits(own), each), random.randomSample());
    network.step(id, own);
    return id;
  });
});
fs.writeFileSync(`${answer}.f32`, Buffer.from(Float32Array.from(probabilities).buffer));
fs.writeFileSync(answer, JSON.stringify(drawn));
