/* node --test: decoding by hand on small distributions; test_page_engine.py compares it with NumPy. */
import assert from "node:assert";
import test from "node:test";
import {
  powersOf,
  normalized,
  keptPowers,
  drawId,
  largestIds,
  RandomState,
} from "../../../charrnn/pages/shared/decoding.js";

const logits = Float32Array.from([0.1, 0.4, 0.3, 0.2], Math.log);
const all = { temperature: 1, topN: 4, topP: 1 };
const kept = (settings) =>
  [...keptPowers(logits, { ...all, ...settings }).entries()]
    .filter(([, power]) => power > 0)
    .map(([id]) => id);

test("the powers are the softmax but for a factor", () => {
  normalized(powersOf(logits)).forEach((share, id) => {
    assert.ok(Math.abs(share - [0.1, 0.4, 0.3, 0.2][id]) < 1e-6);
  });
});

test("a low temperature makes the likely likelier", () => {
  const shares = normalized(powersOf(logits, 0.5));
  assert.ok(Math.abs(shares[1] - 0.16 / 0.3) < 1e-6);
});

test("top n keeps the n likeliest", () => {
  assert.deepStrictEqual(kept({ topN: 2 }), [1, 2]);
  assert.deepStrictEqual(kept({ topN: 1 }), [1]);
  assert.deepStrictEqual(kept({ topN: 99 }), [0, 1, 2, 3]);
});

test("top p keeps the fewest that make up the share", () => {
  assert.deepStrictEqual(kept({ topP: 0.3 }), [1]);
  assert.deepStrictEqual(kept({ topP: 0.5 }), [1, 2]);
  assert.deepStrictEqual(kept({ topP: 0.95 }), [0, 1, 2, 3]);
});

test("top p counts the share of what top n leaves", () => {
  assert.deepStrictEqual(kept({ topN: 2, topP: 0.5 }), [1]); // 0.4 / 0.7 is more than a half
});

test("characters as likely as the last one kept are kept", () => {
  assert.deepStrictEqual(
    [...keptPowers(Float32Array.of(1, 1, 0), { ...all, topN: 1 })].map(Boolean),
    [true, true, false],
  );
});

test("a number draws by the cumulative distribution in the order of ids", () => {
  const powers = Float32Array.of(1, 0, 2, 1);
  assert.deepStrictEqual(
    [0, 0.24, 0.25, 0.74, 0.75, 0.999].map((uniform) => drawId(powers, uniform)),
    [0, 0, 2, 2, 3, 3],
  );
});

test("the largest come first, and of equal ones the lower id", () => {
  assert.deepStrictEqual(largestIds([1, 3, 2, 3, 0], 3), [1, 3, 2]);
  assert.deepStrictEqual(largestIds([1, 2], 5), [1, 0]);
});

test("a seed means the same as in numpy.random.RandomState", () => {
  const last = (seed) => {
    // of random_sample(1300)
    const random = new RandomState(seed);
    return Array.from({ length: 1300 }, () => random.randomSample())[1299];
  };
  assert.deepStrictEqual(
    [0, 1, 2 ** 32 - 1].map(last),
    [0.10023343742412305, 0.10023464310313235, 0.2615643098940784],
  );
});
