/* The sources of the page are scripts for a browser, which export nothing: load(file, name, ...) returns what they name. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const PAGE = path.join(__dirname, "..", "..", "..", "charrnn", "inspection", "page");

module.exports = (file, ...names) => {
  const source = fs.readFileSync(path.join(PAGE, file), "utf8");
  return vm.runInThisContext(`(() => { ${source}; return { ${names.join(", ")} }; })()`, { filename: file });
};
