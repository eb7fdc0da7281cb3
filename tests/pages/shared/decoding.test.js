/* node --test: decoding by hand on small distributions; test_page_engine.py compares it with NumPy. */
import assert from "node:assert";
import test from "node:test";
import {
  drawId,
  keptPowers,
  largestIds,
  normalized,
  powersOf,
  RandomState,
} from "../../../charrnn/pages/shared/decoding.js";

const SHARES = [0.1, 0.4, 0.3, 0.2];
const LOGITS = Float32Array.from(SHARES, Math.log);
const KEEP_ALL = { temperature: 1, top_n: 4, top_p: 1 };

/** Return the ids that settings keep of LOGITS. */
function kept(settings) {
  const powers = keptPowers(LOGITS, { ...KEEP_ALL, ...settings });
  return [0, 1, 2, 3].filter((id) => powers[id] > 0);
}

function assertClose(value, expected) {
  assert.ok(Math.abs(value - expected) < 1e-6, `${value} is not ${expected}`);
}

test("the powers are the softmax but for a factor", () => {
  const shares = normalized(powersOf(LOGITS));
  for (const [id, share] of SHARES.entries()) {
    assertClose(shares[id], share);
  }
});

test("a low temperature makes the likely likelier", () => {
  const shares = normalized(powersOf(LOGITS, 0.5));
  assertClose(shares[1], 0.4 ** 2 / 0.3); // 0.3 is the sum of the squares
});

test("top n keeps the n likeliest", () => {
  assert.deepStrictEqual(kept({ top_n: 2 }), [1, 2]);
  assert.deepStrictEqual(kept({ top_n: 1 }), [1]);
  assert.deepStrictEqual(kept({ top_n: 99 }), [0, 1, 2, 3]);
});

test("top p keeps the fewest that make up the share", () => {
  assert.deepStrictEqual(kept({ top_p: 0.3 }), [1]);
  assert.deepStrictEqual(kept({ top_p: 0.5 }), [1, 2]);
  assert.deepStrictEqual(kept({ top_p: 0.95 }), [0, 1, 2, 3]);
});

test("top p counts the share of what top n leaves", () => {
  assert.deepStrictEqual(kept({ top_n: 2, top_p: 0.5 }), [1]); // 0.4 / 0.7 is more than a half
});

test("characters as likely as the last one kept are kept", () => {
  const powers = keptPowers(Float32Array.of(1, 1, 0), { ...KEEP_ALL, top_n: 1 });
  assert.deepStrictEqual(Array.from(powers, Boolean), [true, true, false]);
});

test("a number draws by the cumulative distribution in the order of ids", () => {
  const powers = Float32Array.of(1, 0, 2, 1);
  const uniforms = [0, 0.24, 0.25, 0.74, 0.75, 0.999];
  const ids = uniforms.map((uniform) => drawId(powers, uniform));
  assert.deepStrictEqual(ids, [0, 0, 2, 2, 3, 3]);
});

test("the largest come first, and of equal ones the lower id", () => {
  assert.deepStrictEqual(largestIds([1, 3, 2, 3, 0], 3), [1, 3, 2]);
  assert.deepStrictEqual(largestIds([1, 2], 5), [1, 0]);
});

test("a seed means the same as in numpy.random.RandomState", () => {
  // The last of numpy.random.RandomState(seed).random_sample(1300).
  const lastOf = {
    0: 0.10023343742412305,
    1: 0.10023464310313235,
    4294967295: 0.2615643098940784,
  };
  for (const [seed, expected] of Object.entries(lastOf)) {
    const random = new RandomState(Number(seed));
    const samples = Array.from({ length: 1300 }, () => random.randomSample());
    assert.strictEqual(samples.at(-1), expected);
  }
});
