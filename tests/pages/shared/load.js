/* load() returns what the modules of the worker of the page of learning export; load.kernel is its kernel, in base64. */
const fs = require("node:fs");

const PAGES = "../../../charrnn/pages";
const NAMES = [
  "shared/npz",
  "shared/variables",
  "shared/trainer",
  "learn/corpus",
  "learn/features",
  "learn/learner",
];
const modules = NAMES.map((name) => require(`${PAGES}/${name}.js`));

module.exports = () => Object.assign({}, ...modules);
module.exports.kernel = fs
  .readFileSync(`${__dirname}/${PAGES}/shared/train.wasm`)
  .toString("base64");
