/* node --test: numbers of the engine by hand; test_page_engine.py compares it with NumPy. */
import assert from "node:assert";
import test from "node:test";
import { halfValue } from "../../../charrnn/pages/shared/engine.js";

test("numbers of half precision are decoded, from the smallest to the largest", () => {
  assert.deepStrictEqual([0x0001, 0x83ff, 0x0400, 0x3555, 0xbc00, 0x7bff].map(halfValue), [
    2 ** -24,
    -1023 * 2 ** -24,
    2 ** -14,
    0.333251953125,
    -1,
    65504,
  ]);
});
