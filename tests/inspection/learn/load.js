/* load(name, ...) returns what the sources of the page of learning name, which are scripts for a browser. */
"use strict";

const fs = require("node:fs");
const load = require("../page/load.js");

const LEARN = `${__dirname}/../../../charrnn/inspection/learn`;
const FILES = ["text.js", "decoding.js", "engine.js", "worker.js",
  ...["npz", "plain", "trainer", "corpus", "tracked", "learner"].map((name) => `${LEARN}/${name}.js`)];

globalThis.self = {}; // a worker has it

module.exports = (...names) => load(FILES, ...names);
module.exports.kernel = fs.readFileSync(`${LEARN}/learn.wasm`).toString("base64");
