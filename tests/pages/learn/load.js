/* load() returns what the modules of the worker of the page of learning export; load.kernel is its kernel, in base64. */
const fs = require("node:fs");

const LEARN = "../../../charrnn/pages/learn";
const NAMES = ["npz", "variables", "trainer", "corpus", "features", "learner"];
const modules = NAMES.map((name) => require(`${LEARN}/${name}.js`));

module.exports = () => Object.assign({}, ...modules);
module.exports.kernel = fs.readFileSync(`${__dirname}/${LEARN}/learn.wasm`).toString("base64");
