/* load(name, ...) returns what the modules of the page of learning export. */
const fs = require("node:fs");

const LEARN = "../../../charrnn/pages/learn";
const modules = ["npz", "variables", "trainer", "corpus", "features", "learner"].map((name) =>
  require(`${LEARN}/${name}.js`),
);

module.exports = () => Object.assign({}, ...modules);
module.exports.kernel = fs.readFileSync(`${__dirname}/${LEARN}/learn.wasm`).toString("base64");
