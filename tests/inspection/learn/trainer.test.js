/* node --test: the gradients of the trainer against finite differences; test_learning.py compares it with CharRNN. */
"use strict";

const assert = require("node:assert");
const test = require("node:test");
const load = require("./load.js");

const { Trainer, initialVariables, setVariables } = load("Trainer", "initialVariables", "setVariables");

const sizes = { numClasses: 5, lstmSize: 6, numLayers: 2 };
const STEPS = 3;
const some = (count, seed) => Int32Array.from({ length: count }, (_, k) => (k * k * seed + k) % sizes.numClasses);

/** Return a trainer in the middle of a text. */
function begun(kernels, Numbers) {
  const trainer = new Trainer(sizes, STEPS, kernels, Numbers);
  setVariables(trainer, initialVariables(sizes, 1));
  trainer.weights.forEach((_, place) => {
    trainer.weights[place] *= 3;
  });
  trainer.read(some(48, 5), some(48, 3));
  trainer.carry();
  return trainer;
}

test("gradients are those of finite differences", () => {
  const trainer = begun([], Float64Array);
  const [ids, targets] = [some(48, 2), some(48, 7)];
  const lossOf = () => trainer.read(ids, targets);
  lossOf();
  trainer.differentiate();
  const gradients = trainer.gradients.slice();
  for (const [name, part] of Object.entries(trainer.arrays)) {
    const start = (part.byteOffset - trainer.weights.byteOffset) / 8;
    for (let place = 0; place < part.length; place += 3) {
      const value = part[place];
      const [above, below] = [1e-5, -1e-5].map((change) => {
        part[place] = value + change;
        return lossOf();
      });
      part[place] = value;
      assert.ok(Math.abs((above - below) / 2e-5 - gradients[start + place]) < 1e-8, `${name} ${place}`);
    }
  }
});

test("the kernel computes what plain JavaScript does", () => {
  const [fast, plain] = [begun([load.kernel]), begun([], Float64Array)];
  for (const trainer of [fast, plain]) {
    trainer.read(some(48, 2), some(48, 7));
    trainer.differentiate();
  }
  assert.ok(fast.kernel && !plain.kernel);
  fast.gradients.forEach((value, place) => {
    assert.ok(Math.abs(value - plain.gradients[place]) < 1e-6);
  });
});
