/* Runs the page's engine in node for the Python tests: node run_engine.js REQUEST ANSWER
 *
 * The request is JSON: {model, texts, settings, seed, length}; see engine.js for the model. Each text is a
 * list of ids, read from a zero state. The answer is JSON: `drawn`, ids drawn after the last text with the first settings;
 * `kept`, for each of the settings the ids that it keeps after each character of all texts. ANSWER.f32 gets the
 * probabilities after each of these characters, float32 [T, C].
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const page = path.join(__dirname, "..", "..", "..", "charrnn", "inspection", "page");
const { Network } = require(path.join(page, "engine.js"));
const { powersOf, normalized, keptPowers, drawId, RandomState } = require(path.join(page, "decoding.js"));

const [request, answer] = process.argv.slice(2);
const { model, texts, settings, seed, length } = JSON.parse(fs.readFileSync(request, "utf8"));
const network = new Network(model);
const probabilities = [];
const kept = settings.map(() => []);
let state = null;
let logits = null;
for (const ids of texts) {
  state = network.zeroState();
  for (const id of ids) {
    network.step(id, state);
    logits = network.logits(state);
    probabilities.push(...normalized(powersOf(logits)));
    settings.forEach((each, index) => {
      kept[index].push([...keptPowers(logits, each).entries()].filter(([, power]) => power > 0).map(([other]) => other));
    });
  }
}

const random = new RandomState(seed);
const drawn = [];
while (drawn.length < length) {
  drawn.push(drawId(keptPowers(logits, settings[0]), random.randomSample()));
  network.step(drawn[drawn.length - 1], state);
  logits = network.logits(state);
}
fs.writeFileSync(`${answer}.f32`, Buffer.from(Float32Array.from(probabilities).buffer));
fs.writeFileSync(answer, JSON.stringify({ drawn, kept }));
