/* load(name, ...) returns what the sources of the page of learning name, which are scripts for a browser. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const ROOM = path.join(__dirname, "..", "..", "..", "charrnn", "inspection");
const FILES = ["page/text.js", "page/decoding.js", "page/engine.js", "learn/npz.js", "learn/plain.js", "learn/trainer.js", "learn/corpus.js",
  "learn/tracked.js", "page/worker.js", "learn/learner.js"];

globalThis.self = {}; // a worker has it

module.exports = (...names) => {
  const source = FILES.map((file) => fs.readFileSync(path.join(ROOM, file), "utf8")).join("\n");
  return vm.runInThisContext(`(() => { ${source}; return { ${names.join(", ")} }; })()`, { filename: "learn.js" });
};
module.exports.kernel = fs.readFileSync(path.join(ROOM, "learn", "learn.wasm")).toString("base64");
