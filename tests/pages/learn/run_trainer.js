/* Trains in node for the Python tests: node run_trainer.js FOLDER
 *
 * FOLDER/request.json is {steps, windows, rate, gradClip}, FOLDER/start.npz the weights, and windows a list of
 * [ids, targets], each [M, N]. FOLDER/answer.json gets the losses, FOLDER/end.npz the weights. */
const fs = require("node:fs");
const load = require("./load.js");

const { Trainer, packNpz, setVariables, sizesOf, unpackNpz, variablesOf } = load();
const folder = process.argv[2];

async function main() {
  const request = JSON.parse(fs.readFileSync(`${folder}/request.json`, "utf8"));
  const file = new Uint8Array(fs.readFileSync(`${folder}/start.npz`));
  const { variables, about } = await unpackNpz(file);
  const trainer = new Trainer(sizesOf(variables), request.steps, [load.kernel]);
  setVariables(trainer, variables);

  const losses = request.windows.map(([ids, targets]) => {
    const { rate, gradClip } = request;
    return trainer.learn(Int32Array.from(ids), Int32Array.from(targets), rate, gradClip);
  });

  const trained = await packNpz(variablesOf(trainer), about);
  fs.writeFileSync(`${folder}/end.npz`, Buffer.from(trained));
  fs.writeFileSync(`${folder}/answer.json`, JSON.stringify({ losses }));
}

main();
