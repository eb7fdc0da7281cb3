/* The texts that can be learned, and the one that is chosen. */
import { counted } from "../shared/numbers.js";
import { byId } from "../shared/view.js";

const MOST_SHOWN = 100000; // characters in the field
let textInField = ""; // what the page wrote there

/** The reader's own text; `name` is that of its file. */
export const own = { label: "your own text", name: "your text", text: "" };
export const sources = [...document.querySelectorAll("script[title]")].map(sourceOf);
sources.push(own);

/** What is learned, and the network in a file that goes on with it, {name, sizes}, or null for a new one. */
export const chosen = { source: null, file: null };

function sourceOf({ title, textContent }) {
  return { label: title, name: title, text: textContent };
}

/** Choose a text and perhaps a network in a file, and show which they are. */
export function chooseSource(source, file) {
  const { label, name, text } = source;
  chosen.source = source;
  chosen.file = file;

  for (const button of byId("texts").children) {
    button.ariaPressed = button.value === label;
  }
  byId("own").open = source === own;
  byId("text-note").textContent = `${name}, ${counted(text.length, "character")}.`;

  const isLong = text.length > MOST_SHOWN;
  byId("text").value = isLong ? "" : text;
  textInField = byId("text").value; // the field may have changed the ends of lines

  byId("said").textContent = "";
  if (file !== null) {
    const { numLayers, lstmSize } = file.sizes;
    const sizes = `${counted(numLayers, "layer")} of ${lstmSize} units`;
    byId("said").textContent = `Press Start: ${file.name} goes on with this text. It has ${sizes}.`;
  }
}

export function isFieldChanged() {
  return byId("text").value !== textInField;
}

export function restoreField() {
  byId("text").value = textInField;
}

/** Return the name of a text as that of a file without its ending. */
export function fileName({ name }) {
  const withoutEnding = name.replace(/\.\w+$/, "");
  const withDashes = withoutEnding.replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  return withDashes.replace(/^-|-$/g, "") || "learned";
}
