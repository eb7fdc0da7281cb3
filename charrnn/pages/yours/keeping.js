/* What can be kept: the page with what it has learned, and a file for charrnn. */
import { change, state } from "../shared/change.js";
import { grouped } from "../shared/numbers.js";
import { setCharacters } from "../shared/shown.js";
import { ask, byId, download, onClick, showText } from "../shared/view.js";
import { trainingPart } from "./material.js";

const SLOT = '<script type="text/plain" id="learned">';
const HASH = 8;
const MULTIPLIER = 16777619; // of the checksum, modulo 2^32
const SLOT_END = "</" + "script>";

/** The document as it arrived, up to what it has learned, and from there on: nothing has changed it yet. */
const page = partsOf(document.documentElement.outerHTML);

function partsOf(source) {
  const from = source.indexOf(SLOT) + SLOT.length;
  const to = source.indexOf(SLOT_END, from);
  // A Blob takes less memory than a text.
  return {
    before: `<!doctype html>\n${source.slice(0, from)}`,
    after: new Blob([source.slice(to), "\n"]),
  };
}

/** Return a checksum of what a page has learned, of HASH characters. */
function hashed(json) {
  let hash = 0;
  for (let place = 0; place < json.length; place++) {
    hash = (Math.imul(hash, MULTIPLIER) + json.charCodeAt(place)) >>> 0;
  }
  return hash.toString(16).padStart(HASH, "0");
}

/** Open what a page that was saved has learned. @throws {Error} it is damaged */
export function openLearned() {
  const content = byId("learned").textContent;
  if (content === "") {
    return;
  }
  const [hash, json] = [content.slice(0, HASH), content.slice(HASH)];
  if (hash !== hashed(json)) {
    throw new Error("what it has learned is damaged");
  }
  const { model, chars, beginnings, about, name, text, update } = JSON.parse(json);
  setCharacters(chars);
  const training = trainingPart(text, about.hyperparameters.val_fraction);
  ask("reopen", { model, chars, training });
  change({
    ...{ model, chars, beginnings, about, name, update },
    total: update,
    learnedText: text,
    text,
    stage: "learned",
  });
  showText("title", "It has learned a text");
  showText(
    "lead",
    `This page was saved after it had learned ${name}. It writes in its words, and cannot send anything.`,
  );
}

/** Return the page with what it has learned, a Blob. */
export function savedPage({ hasText }) {
  const { model, chars, beginnings, about, name, learnedText, update } = state;
  const learned = {
    ...{ model, chars, beginnings, about, name, update },
    text: hasText ? learnedText : "",
  };
  const json = JSON.stringify(learned).replaceAll("<", "\\u003c"); // so that it cannot end the element
  return new Blob([page.before, hashed(json), json, page.after]);
}

/** Return a name for a file. */
function fileNameOf(name) {
  const dashed = name.replace(/\.\w+$/, "").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  return dashed.replace(/^-|-$/g, "") || "my-text";
}

function give(content, name) {
  const blob = new Blob([content]);
  download(blob, name);
  showText("saved", `The browser was given ${name}, ${grouped(blob.size / 1e6)} MB, to save.`);
}

function savePage() {
  const content = savedPage({ hasText: byId("with-text").checked });
  give(content, `${fileNameOf(state.name)}.html`);
}

function saveNpz() {
  const { model, chars, about, name, learnedText } = state;
  const text = byId("with-text").checked ? learnedText : "";
  ask("pack", { model, chars, about, text }, ({ bytes, refused }) => {
    if (refused) {
      showText("saved", refused);
    } else {
      give(bytes, `${fileNameOf(name)}.npz`);
    }
  });
}

/** Draw what can be kept. */
export function drawKeeping() {
  byId("with-text-label").hidden = state.learnedText === "";
  showText("file-name", fileNameOf(state.name));
}

export function startKeeping() {
  onClick("save-page", savePage);
  onClick("save-npz", saveNpz);
}
