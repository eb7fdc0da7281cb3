/* The sources of the pages are scripts for a browser, which export nothing: load(file, name, ...) returns what they name.
 * A file, or each of several, is in the folder page/ or has an absolute path. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const PAGE = path.join(__dirname, "..", "..", "..", "charrnn", "inspection", "page");

module.exports = (files, ...names) => {
  const source = [files].flat().map((file) => fs.readFileSync(path.resolve(PAGE, file), "utf8")).join("\n");
  return vm.runInThisContext(`(() => { ${source}; return { ${names.join(", ")} }; })()`, { filename: String(files) });
};
