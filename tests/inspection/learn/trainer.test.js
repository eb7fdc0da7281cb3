/* node --test: the gradients of the trainer against finite differences; test_learning.py compares it with CharRNN. */
const assert = require("node:assert");
const test = require("node:test");
const { Trainer, initialVariables, setVariables } = require("./load.js")("Trainer", "initialVariables", "setVariables");

const sizes = { numClasses: 5, lstmSize: 6, numLayers: 2 };
const some = (seed) => Int32Array.from({ length: 48 }, (_, k) => (k * k * seed + k) % sizes.numClasses); // [3, 16]

test("gradients are those of finite differences", () => {
  const trainer = new Trainer(sizes, 3, [], Float64Array);
  setVariables(trainer, initialVariables(sizes, 1));
  trainer.weights.forEach((_, place) => {
    trainer.weights[place] *= 3;
  });
  trainer.read(some(5), some(3));
  trainer.carry(); // to the middle of a text
  const lossOf = () => trainer.read(some(2), some(7));
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
