/* Runs the guards of the pages in node for the Python tests: node run_guards.js REQUEST ANSWER
 *
 * REQUEST is a file of JSON: {chars, words, training, hashes, cases}, with hashes in base64 and cases [{text, settings}].
 * ANSWER gets JSON: {packed, again, masks}: the hashes of the training text, and those that were given, unpacked and packed
 * again, both in base64; and for each case which characters may follow, as "01". */
import fs from "node:fs";
import { bytesOf } from "../../../charrnn/pages/shared/engine.js";
import { Guards } from "../../../charrnn/pages/shared/guards.js";
import {
  hashedWords,
  hashesOf,
  packHashes,
  unpackHashes,
} from "../../../charrnn/pages/shared/hashes.js";

const [requestFile, answerFile] = process.argv.slice(2);
const { chars, words, training, hashes, cases } = JSON.parse(fs.readFileSync(requestFile, "utf8"));

function base64Of(bytes) {
  return Buffer.from(bytes).toString("base64");
}

const made = hashesOf(Array.from(training), hashedWords(words));
const given = unpackHashes(bytesOf(hashes));
const guards = new Guards(chars, words, given);
const masks = cases.map(({ text, settings }) => {
  const ids = Array.from(text, (char) => chars.indexOf(char));
  const logits = new Float32Array(chars.length);
  const left = guards.process(logits, logits, { ids, notes: new Map() }, settings);
  return Array.from(left, (logit) => (logit > -Infinity ? "1" : "0")).join("");
});
const answer = { packed: base64Of(packHashes(made)), again: base64Of(packHashes(given)), masks };
fs.writeFileSync(answerFile, JSON.stringify(answer));
