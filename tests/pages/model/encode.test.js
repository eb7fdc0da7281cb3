/* node --test: a text as ids. */
import assert from "node:assert";
import test from "node:test";
import { encode } from "../../../charrnn/pages/model/encode.js";

const PLACES = new Map(["\n", " ", "a", "e", "s"].map((char, id) => [char, id]));

test("a known text is encoded without a note", () => {
  assert.deepStrictEqual(encode("sea\n", PLACES, {}), { ids: [4, 3, 2, 0], note: "" });
});

test("all line ends are one character", () => {
  const { ids } = encode("a\r\na\ra", PLACES, {});
  assert.deepStrictEqual(ids, [2, 0, 2, 0, 2]);
});

test("unknown characters are replaced by what is nearest, or left out, and named", () => {
  const nearest = { "\u00e9": "e", "\u00df": "ss" };
  const { ids, note } = encode("\u00e9\u00df!a\u{1f600}ea", PLACES, nearest);
  assert.deepStrictEqual(ids, [3, 4, 4, 2, 3, 2]);
  assert.match(
    note,
    /: \u00e9 became e, \u00df became ss, ! was left out, \u{1f600} was left out\.$/u,
  );
});

test("names of properties of objects are text like any other", () => {
  const { ids } = encode("__proto____", new Map([["_", 0]]), {});
  assert.deepStrictEqual(ids, [0, 0, 0, 0, 0, 0]);
});

test("many unknown characters are named in part", () => {
  const { note } = encode("0123456789 sea sea sea", PLACES, {});
  assert.match(note, /and 2 more/);
});

test("of a text of which most is unknown nothing is read, and what is known is named", () => {
  const { ids, note } = encode("\u03b1\u03b2\u03b3 \u03b4\u03b5\u03b6 a", PLACES, {});
  assert.deepStrictEqual(ids, []);
  assert.match(note, /only \u2423 a$/);
});

test("the parts of an emoji are named", () => {
  const { note } = encode("sea sea \u{1f469}\u200d\u{1f680}", PLACES, {});
  assert.match(note, /, a joiner was left out, /);
});
