/* Trains in node for the Python tests: node run_trainer.js FOLDER
 *
 * FOLDER/request.json is {steps, windows, rate, rule}, FOLDER/start.npz the weights, and windows a list of
 * [ids, targets], each [M, N]. FOLDER/answer.json gets the losses, FOLDER/end.npz the weights, FOLDER/averages.npz their
 * averages, if there are any. */
const fs = require("node:fs");
const load = require("./load.js");

const { PLAIN, Trainer, packNpz, setVariables, sizesOf, unpackNpz, variablesOf } = load();
const folder = process.argv[2];

async function main() {
  const request = JSON.parse(fs.readFileSync(`${folder}/request.json`, "utf8"));
  const { steps, texts = 16, rate, rule, windows } = request;
  const file = new Uint8Array(fs.readFileSync(`${folder}/start.npz`));
  const { variables, about } = await unpackNpz(file);
  const kernels = [load.kernel];
  const wholeRule = { ...PLAIN, ...rule };
  const trainer = new Trainer(sizesOf(variables), { texts, steps }, kernels, wholeRule);
  setVariables(trainer, variables);
  trainer.beginAverages();

  const losses = windows.map(([ids, targets]) =>
    trainer.learn(Int32Array.from(ids), Int32Array.from(targets), rate),
  );

  const write = async (name, arrays) => {
    const packed = await packNpz(variablesOf(trainer, arrays), about);
    fs.writeFileSync(`${folder}/${name}.npz`, Buffer.from(packed));
  };
  await write("end", trainer.arrays);
  if (trainer.hasAverages) {
    await write("averages", trainer.partsOf(trainer.smoothed));
  }
  fs.writeFileSync(`${folder}/answer.json`, JSON.stringify({ losses }));
}

main();
