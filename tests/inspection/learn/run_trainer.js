/* Trains in node for the Python tests: node run_trainer.js FOLDER
 *
 * FOLDER/request.json is {steps, windows, rate, gradClip, isPlain, prime, seed, length}, FOLDER/start.npz the weights, and windows a list of
 * [ids, targets], each [M, N]. FOLDER/answer.json gets the losses and a text that is written, FOLDER/end.npz the weights.
 */
"use strict";

const fs = require("node:fs");
const load = require("./load.js");

const { Trainer, makeNetwork, RandomState, keptPowers, drawId, packNpz, unpackNpz, setVariables, sizesOf, variablesOf } = load(
  "Trainer", "makeNetwork", "RandomState", "keptPowers", "drawId", "packNpz", "unpackNpz", "setVariables", "sizesOf", "variablesOf");

(async () => {
  const folder = process.argv[2];
  const { steps, windows, rate, gradClip, isPlain, prime, seed, length } = JSON.parse(fs.readFileSync(`${folder}/request.json`, "utf8"));
  const { variables, about } = await unpackNpz(new Uint8Array(fs.readFileSync(`${folder}/start.npz`)));
  const trainer = new Trainer(sizesOf(variables), steps, isPlain ? [] : [load.kernel]);
  setVariables(trainer, variables);
  const losses = windows.map(([ids, targets]) => trainer.learn(Int32Array.from(ids), Int32Array.from(targets), rate, gradClip));
  const network = makeNetwork(trainer.model(trainer.weights), isPlain ? "" : load.kernel);
  const state = network.zeroState();
  const random = new RandomState(seed);
  const drawn = [...prime];
  for (const id of prime) {
    network.step(id, state);
  }
  while (drawn.length < length) {
    drawn.push(drawId(keptPowers(network.logits(state), { temperature: 0.9, topN: Infinity, topP: 1 }), random.randomSample()));
    network.step(drawn[drawn.length - 1], state);
  }
  fs.writeFileSync(`${folder}/end.npz`, Buffer.from(await packNpz(variablesOf(trainer), about)));
  fs.writeFileSync(`${folder}/answer.json`, JSON.stringify({ losses, drawn, isKernel: Boolean(trainer.kernel) }));
})();
