/* node --test: how a text is divided into the rows of its picture. */
"use strict";

const assert = require("node:assert");
const test = require("node:test");
const load = require("./load.js");

const { rowsOf } = load("picture.js", "rowsOf");

const rows = (text) => rowsOf(Array.from(text, (char) => [char, null])).map((row) => row.map(([char]) => char).join(""));

test("rows end at line ends, and before a word that would be too long", () => {
  assert.deepStrictEqual(rows("a\n\nb"), ["a", "", "b"]);
  assert.deepStrictEqual(rows(`${"word ".repeat(13)}end`), ["word ".repeat(12), "word end"]);
});

test("a word that is longer than a row is divided", () => {
  assert.deepStrictEqual(rows("x".repeat(150)).map(({ length }) => length), [64, 64, 22]);
});
