/* Trains in node for the Python tests: node run_trainer.js FOLDER
 *
 * FOLDER/request.json is {steps, windows, rate, gradClip}, FOLDER/start.npz the weights, and windows a list of
 * [ids, targets], each [M, N]. FOLDER/answer.json gets the losses, FOLDER/end.npz the weights.
 */
const fs = require("node:fs");
const load = require("./load.js");

const { Trainer, packNpz, unpackNpz, setVariables, sizesOf, variablesOf } = load(
  "Trainer",
  "packNpz",
  "unpackNpz",
  "setVariables",
  "sizesOf",
  "variablesOf",
);

(async () => {
  const folder = process.argv[2];
  const { steps, windows, rate, gradClip } = JSON.parse(
    fs.readFileSync(`${folder}/request.json`, "utf8"),
  );
  const { variables, about } = await unpackNpz(
    new Uint8Array(fs.readFileSync(`${folder}/start.npz`)),
  );
  const trainer = new Trainer(sizesOf(variables), steps, [load.kernel]);
  setVariables(trainer, variables);
  const losses = windows.map(([ids, targets]) =>
    trainer.learn(Int32Array.from(ids), Int32Array.from(targets), rate, gradClip),
  );
  fs.writeFileSync(`${folder}/end.npz`, Buffer.from(await packNpz(variablesOf(trainer), about)));
  fs.writeFileSync(`${folder}/answer.json`, JSON.stringify({ losses }));
})();
