/* Runs the reader of the pages in node for the Python tests: node run_judge.js REQUEST ANSWER
 *
 * REQUEST is a file of JSON: {reader, cases, chars, held}: what the constructor of Reader takes, cases [before, sentence, mean,
 * isWhole], and cases of quotation marks [text, {direction, value}]. ANSWER gets JSON: {ranks, masks}. */
import fs from "node:fs";
import { Reader } from "../../../charrnn/pages/shared/judge.js";
import { mayFollow } from "../../../charrnn/pages/shared/quotes.js";

const [requestFile, answerFile] = process.argv.slice(2);
const { reader: known, cases, chars, held } = JSON.parse(fs.readFileSync(requestFile, "utf8"));
const reader = new Reader(known);
const ranks = cases.map((parts) => reader.rank(...parts));
const masks = held.map(([text, settings]) => mayFollow(chars, text, settings));
fs.writeFileSync(answerFile, JSON.stringify({ ranks, masks }));
