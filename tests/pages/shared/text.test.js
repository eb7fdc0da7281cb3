/* node --test: what the page shows of characters and numbers. */
import assert from "node:assert";
import test from "node:test";
import {
  cutWord,
  glyph,
  visible,
  nameOf,
  percent,
  grouped,
  counted,
  encode,
  parseUnit,
  unitTitle,
  scaled,
} from "../../../charrnn/pages/shared/text.js";

const places = new Map(["\n", " ", "a", "e", "s"].map((char, id) => [char, id]));

test("every character has something visible", () => {
  const shown = {
    a: "a",
    " ": "\u2423",
    "\n": "\u21b5",
    "\t": "\u21e5",
    "\0": "\u2400",
    "\x1b": "\u241b",
    "\x7f": "\u2421",
    "\u202e": "\ufffd",
    "\ud800": "\ufffd",
    "\u2028": "\ufffd",
    "\u0301": "\u25cc\u0301",
    "\u{1f600}": "\u{1f600}",
    "<": "<",
  };
  for (const [char, expected] of Object.entries(shown)) {
    assert.strictEqual(glyph(char), expected);
  }
});

test("in a text only controls, halves of characters and changes of direction get a symbol", () => {
  const kept = "a\n\t e\u0301 \u0627\u0644 \u{1f469}\u200d\u{1f680} \u0928\u093f \u00ad";
  assert.strictEqual(visible(kept), kept);
  assert.strictEqual(
    visible("\0\x85\ud800\u202e\u2067\ufeff"),
    "\u2400\ufffd\ufffd\ufffd\ufffd\ufffd",
  );
});

test("characters have names where they cannot be seen", () => {
  assert.deepStrictEqual(["\n", " ", "a", "\u202e", "\x07", "\u{1f600}"].map(nameOf), [
    "line end",
    "space",
    "a",
    "U+202E",
    "U+0007",
    "\u{1f600}",
  ]);
});

test("percentages are short and never wrong", () => {
  assert.deepStrictEqual([0, 0.001, 0.006, 0.5, 0.994, 0.9999, 1].map(percent), [
    "0%",
    "<1%",
    "1%",
    "50%",
    "99%",
    ">99%",
    "100%",
  ]);
});

test("numbers have thousands separators", () => {
  assert.deepStrictEqual([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
  assert.deepStrictEqual(
    [counted(1, "character"), counted(2000, "character")],
    ["1 character", "2,000 characters"],
  );
});

test("a known text is encoded without a note", () => {
  assert.deepStrictEqual(encode("sea\n", places, {}), { ids: [4, 3, 2, 0], note: "" });
});

test("all line ends are one character", () => {
  assert.deepStrictEqual(encode("a\r\na\ra", places, {}).ids, [2, 0, 2, 0, 2]);
});

test("unknown characters are replaced by what is nearest, or left out, and named", () => {
  const { ids, note } = encode("\u00e9\u00df!a\u{1f600}", places, {
    "\u00e9": "e",
    "\u00df": "ss",
  });
  assert.deepStrictEqual(ids, [3, 4, 4, 2]);
  assert.match(
    note,
    /: \u00e9 became e, \u00df became ss, ! was left out, \u{1f600} was left out\.$/u,
  );
});

test("names of properties of objects are text like any other", () => {
  assert.deepStrictEqual(encode("__proto__", new Map([["_", 0]]), {}).ids, [0, 0, 0, 0]);
});

test("many unknown characters are named in part", () => {
  assert.match(encode("0123456789", places, {}).note, /and 2 more/);
});

test("the name of a unit is taken apart", () => {
  assert.deepStrictEqual(parseUnit("2/c/317"), { layer: 2, part: "c", unit: 317 });
});

test("a unit has a title for people, with its name", () => {
  assert.strictEqual(unitTitle("2/c/317"), "memory cell 317 in layer 2 (2/c/317)");
  assert.strictEqual(unitTitle("1/h/2"), "output of cell 2 in layer 1 (1/h/2)");
});

test("a value is scaled to its range, but noise is not", () => {
  assert.deepStrictEqual(
    [0.2, 0.4, 0.6].map((value) => Math.round(scaled(value, [0.2, 0.6]))),
    [-1, 0, 1],
  );
  assert.strictEqual(scaled(0.501, [0.5, 0.51]), 0);
});

test("the end of a text cuts a word, but not after a space or a sign, nor where words have no spaces", () => {
  assert.deepStrictEqual(
    ["and wha", "it don\u2019", "a stop.", "a space ", "e\u0301te\u0301", "\u6771\u4eac", ""].map(
      cutWord,
    ),
    ["wha", "don\u2019", "", "", "e\u0301te\u0301", "", ""],
  );
  assert.strictEqual(cutWord(`${"n".repeat(5000)} `), ""); // at once
});
