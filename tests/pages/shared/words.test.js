/* node --test: the words of a text. */
import assert from "node:assert";
import test from "node:test";
import { cutWord } from "../../../charrnn/pages/shared/words.js";

test("the end of a text cuts a word", () => {
  assert.strictEqual(cutWord("and wha"), "wha");
  assert.strictEqual(cutWord("it don\u2019"), "don\u2019");
  assert.strictEqual(cutWord("e\u0301te\u0301"), "e\u0301te\u0301");
});

test("after a space or a sign no word is cut", () => {
  assert.strictEqual(cutWord("a stop."), "");
  assert.strictEqual(cutWord("a space "), "");
  assert.strictEqual(cutWord(""), "");
});

test("no word is cut where words have no spaces", () => {
  assert.strictEqual(cutWord("\u6771\u4eac"), ""); // Tokyo
});

test("a long word is found at once", () => {
  assert.strictEqual(cutWord(`${"n".repeat(5000)} `), "");
});
