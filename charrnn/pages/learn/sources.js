/* The texts that can be learned: those of the page, and what the reader brings, typed or in a file. */
import { isNew, state } from "../shared/change.js";
import { textIn } from "../shared/files.js";
import { counted } from "../shared/numbers.js";
import { ask, byId, showNote, showText } from "../shared/view.js";
import { choose } from "./learning.js";
import { mayLose } from "./progress.js";
import { GENTLE_RATE, showSizes, useRate } from "./settings.js";

const MOST_SHOWN = 100000; // characters in the field
let textInField = ""; // what the page wrote there

/** The reader's own text; `name` is that of its file. */
export const own = { label: "your own text", name: "your text", text: "" };
const given = Array.from(
  document.querySelectorAll("script[title]"),
  ({ title, textContent: text }) => ({ label: title, name: title, text }),
);
export const sources = [...given, own];

/** Draw the text that is chosen. Its box is open for one of the reader's own, and closes when the network begins. */
export function drawSource() {
  const { source, choice, begun, network } = state;
  const { label, name, text } = source;
  for (const button of byId("texts").children) {
    button.ariaPressed = button.value === label;
  }
  const note = network === null ? "" : ` ${network.note}`;
  showText("text-note", `${name}, ${counted(text.length, "character")}.${note}`);

  if (isNew("box", choice, begun)) {
    byId("own").open = source === own && begun !== choice;
  }
  if (isNew("field", choice)) {
    const isLong = text.length > MOST_SHOWN;
    byId("text").value = isLong ? "" : text;
    textInField = byId("text").value; // the field may have changed the ends of lines
  }
}

/** Take a text or a network from a file. */
export async function takeFile(file) {
  if (/\.npz$/i.test(file.name)) {
    takeNetwork(await file.arrayBuffer(), file.name);
    return;
  }
  try {
    takeText(await textIn(file), file.name);
  } catch ({ message }) {
    showNote("note", message);
  }
}

function takeNetwork(bytes, name) {
  ask("unpack", { bytes }, ({ refused, sizes }) => {
    if (refused) {
      showNote("note", `${name}: ${refused}`);
    } else if (mayLose()) {
      showSizes(sizes);
      choose(state.source, { name, sizes });
      useRate(GENTLE_RATE);
    }
  });
}

/** Take a text of the reader's own. */
function takeText(text, name = "your text") {
  if (!mayLose()) {
    byId("text").value = textInField;
    return;
  }
  own.name = name;
  own.text = text;
  choose(own);
}

/** Take what was typed or pasted. Some phones tell of it late, so that it is looked for at Start as well. */
export function takeField() {
  const { value } = byId("text");
  if (value !== textInField) {
    takeText(value);
  }
}

/** Return the name of a text as that of a file without its ending. */
export function fileName({ name }) {
  const withoutEnding = name.replace(/\.\w+$/, "");
  const withDashes = withoutEnding.replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  return withDashes.replace(/^-|-$/g, "") || "learned";
}
