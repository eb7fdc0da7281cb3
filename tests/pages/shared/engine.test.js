/* node --test: numbers of the engine by hand; test_page_engine.py compares it with NumPy. */
import assert from "node:assert";
import test from "node:test";
import { halfValue } from "../../../charrnn/pages/shared/engine.js";

test("numbers of half precision are decoded, from the smallest to the largest", () => {
  const smallest = 2 ** -24;
  assert.strictEqual(halfValue(0x0001), smallest);
  assert.strictEqual(halfValue(0x83ff), -1023 * smallest);
  assert.strictEqual(halfValue(0x0400), 2 ** -14);
  assert.strictEqual(halfValue(0x3555), 0.333251953125);
  assert.strictEqual(halfValue(0xbc00), -1);
  assert.strictEqual(halfValue(0x7bff), 65504);
});
