/* node --test: numbers as the pages show them. */
import assert from "node:assert";
import test from "node:test";
import {
  counted,
  grouped,
  percent,
  scaled,
  signed,
} from "../../../charrnn/pages/shared/numbers.js";

test("percentages are short and never wrong", () => {
  assert.strictEqual(percent(0), "0%");
  assert.strictEqual(percent(0.001), "<1%");
  assert.strictEqual(percent(0.006), "1%");
  assert.strictEqual(percent(0.5), "50%");
  assert.strictEqual(percent(0.994), "99%");
  assert.strictEqual(percent(0.9999), ">99%");
  assert.strictEqual(percent(1), "100%");
});

test("numbers have thousands separators", () => {
  const numbers = [0, 999, 1000, 1234567].map(grouped);
  assert.deepStrictEqual(numbers, ["0", "999", "1,000", "1,234,567"]);
});

test("things are counted in the singular and the plural", () => {
  assert.strictEqual(counted(1, "character"), "1 character");
  assert.strictEqual(counted(2000, "character"), "2,000 characters");
});

test("numbers have a sign, but zero has none", () => {
  const numbers = [0.5, -0.5, 0, -0.001, 0.004].map(signed);
  assert.deepStrictEqual(numbers, ["+0.50", "\u22120.50", "0.00", "0.00", "0.00"]);
});

test("a value is scaled to its range", () => {
  const limits = [0.2, 0.6];
  assert.strictEqual(scaled(0.2, limits), -1);
  assert.ok(Math.abs(scaled(0.4, limits)) < 1e-12);
  assert.strictEqual(scaled(0.6, limits), 1);
});

test("noise is not scaled", () => {
  assert.strictEqual(scaled(0.501, [0.5, 0.51]), 0);
});
