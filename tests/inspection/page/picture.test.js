/* node --test: how a text is divided into the rows of its picture, and what an address says. */
"use strict";

const assert = require("node:assert");
const path = require("node:path");
const test = require("node:test");

const page = path.join(__dirname, "..", "..", "..", "charrnn", "inspection", "page");
const { rowsOf } = require(path.join(page, "picture.js"));
const { parseAddress } = require(path.join(page, "address.js"));

const rows = (text) => rowsOf(Array.from(text, (char) => [char, null])).map((row) => row.map(([char]) => char).join(""));

test("rows end at line ends, and before a word that would be too long", () => {
  assert.deepStrictEqual(rows("a\n\nb"), ["a", "", "b"]);
  assert.deepStrictEqual(rows(`${"word ".repeat(13)}end`), ["word ".repeat(12), "word end"]);
});

test("a word that is longer than a row is divided", () => {
  assert.deepStrictEqual(rows("x".repeat(150)).map(({ length }) => length), [64, 64, 22]);
});

test("an address names a view, a unit and settings", () => {
  assert.deepStrictEqual(parseAddress("#read/2/c/317"), { view: "read", unit: "2/c/317", query: new URLSearchParams() });
  const { view, query } = parseAddress("#write?prime=Why%3F+%23&seed=3");
  assert.deepStrictEqual([view, ...query], ["write", ["prime", "Why? #"], ["seed", "3"]]);
  assert.deepStrictEqual([...parseAddress("#write?prime=a?b").query], [["prime", "a?b"]]);
  assert.deepStrictEqual(parseAddress(""), { view: "", unit: "", query: new URLSearchParams() });
});
