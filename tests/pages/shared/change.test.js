/* node --test: the state of a page, and what is drawn from it. */
import assert from "node:assert";
import test from "node:test";
import { change, drawWith, isNew, state } from "../../../charrnn/pages/shared/change.js";

test("each change of the state is drawn, once and at last", () => {
  const drawn = [];
  drawWith(() => drawn.push({ ...state }));
  change({ watched: "2/c/3", held: 1 });
  change();
  const after = { watched: "2/c/3", held: 1 };
  assert.deepStrictEqual(drawn, [after, after]);
});

test("a part is drawn again from other values, and not from the same", () => {
  const text = [];
  assert(isNew("handle", text, null));
  assert(!isNew("handle", text, null));
  assert(isNew("handle", text, 0));
  assert(isNew("handle", [], 0));
  assert(isNew("strip", text, null));
  assert(!isNew("strip", text, null));
});
