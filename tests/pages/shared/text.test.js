/* node --test: characters and units as the pages show them. */
import assert from "node:assert";
import test from "node:test";
import {
  glyph,
  nameOf,
  namesOfEnds,
  parseUnit,
  signOf,
  unitTitle,
  visible,
} from "../../../charrnn/pages/shared/text.js";

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

test("in a text letters, marks and joiners stay as they are", () => {
  const text = "a\n\t e\u0301 \u0627\u0644 \u{1f469}\u200d\u{1f680} \u0928\u093f \u00ad";
  assert.strictEqual(visible(text), text);
});

test("in a text controls, halves of characters and changes of direction get a symbol", () => {
  const shown = visible("\0\x85\ud800\u202e\u2067\ufeff");
  assert.strictEqual(shown, "\u2400\ufffd\ufffd\ufffd\ufffd\ufffd");
});

test("in a sentence a character without a sign has its name", () => {
  const signs = ["a", "\n", "\u200d", "\u202e"].map(signOf);
  assert.deepStrictEqual(signs, ["a", "\u21b5", "a joiner", "U+202E"]);
});

test("characters have names where they cannot be seen", () => {
  const names = {
    "\n": "line end",
    " ": "space",
    a: "a",
    "\u202e": "U+202E",
    "\x07": "U+0007",
    "\u{1f600}": "\u{1f600}",
  };
  for (const [char, expected] of Object.entries(names)) {
    assert.strictEqual(nameOf(char), expected);
  }
});

test("the name of a unit is taken apart", () => {
  assert.deepStrictEqual(parseUnit("2/c/317"), { layer: 2, part: "c", unit: 317 });
});

test("a unit has a title for people, with its name", () => {
  assert.strictEqual(unitTitle("2/c/317"), "memory cell 317 in layer 2 (2/c/317)");
  assert.strictEqual(unitTitle("1/h/2"), "output of cell 2 in layer 1 (1/h/2)");
});

const ENDS = ["outside quotes", "in quotes"];

test("the ends of a unit have the names of what it clearly tracks", () => {
  assert.deepStrictEqual(namesOfEnds(ENDS, 0.7), ENDS);
});

test("the names are turned where the unit is low while that is high", () => {
  assert.deepStrictEqual(namesOfEnds(ENDS, -0.7), ["in quotes", "outside quotes"]);
});

test("where a unit has only an idea, its ends are low and high", () => {
  assert.deepStrictEqual(namesOfEnds(ENDS, -0.69), ["low", "high"]);
});
