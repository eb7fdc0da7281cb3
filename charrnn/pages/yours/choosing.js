/* The text that is to be learned: typed, pasted, a file, or one of the examples. */
import { change, isNew, state } from "../shared/change.js";
import { textIn } from "../shared/files.js";
import { ask, byId, makeButton, showNote, showText } from "../shared/view.js";
import { data, takeText } from "./course.js";
import { asLearned, describeLength, languageOf } from "./material.js";

const PAUSE = 400; // milliseconds after the last letter, before a text is judged
// The letters of five texts that are no novels had at most 2.5 nats in their own language, those of other languages 3.3 or more.
const MOST_NATS = 3;
const LEAST_KNOWN = 0.8; // of the letters
const LOOKED_AT = 4000; // characters
let pending = 0;

/** Draw what is said of the text, and have it judged. */
export function drawChoice() {
  const { text, stage } = state;
  byId("give").hidden = stage !== "choosing";
  if (!isNew("text", text)) {
    return;
  }
  const { length } = asLearned(text, data.most);
  showText("length-said", describeLength(length, data));
  byId("learn").disabled = length < data.least;
  if (byId("text").value !== text) {
    byId("text").value = text;
  }
  showNote("language-said", "");
  clearTimeout(pending);
  if (length >= data.least) {
    pending = setTimeout(judge, PAUSE);
  }
}

/** Say it where the text is in another language than the network has read. */
function judge() {
  const { text } = state;
  ask("judge", { text }, ({ nats, known }) => {
    const isOther = nats > MOST_NATS || known < LEAST_KNOWN;
    if (state.text === text) {
      showNote("language-said", isOther ? describeOther(text) : "");
    }
  });
}

function describeOther(text) {
  const { language, languages, name } = data;
  const own = language || "what the network has read";
  const nearest = languageOf(text.slice(0, LOOKED_AT), languages);
  let advice = "";
  if (nearest !== null && nearest !== name) {
    const other = languages[nearest].language;
    advice =
      ` If it is ${other}, the command charrnn-export ${nearest} ${nearest}.html --learn makes the ` +
      "page for it.";
  }
  return `This text is unlike ${own}: it can be learned here, but worse.${advice}`;
}

/** Take a text from a file. */
export async function takeTextFile(file) {
  showNote("note", "");
  try {
    takeText(await textIn(file), file.name);
  } catch ({ message }) {
    showNote("note", message);
  }
}

/** Fill the row of examples, and have the field be read. */
export function startChoice() {
  const examples = document.querySelectorAll("script[title]");
  byId("examples").hidden = examples.length === 0;
  for (const { title, textContent } of examples) {
    byId("examples").append(makeButton("chip", () => takeText(textContent, title), title));
  }
  byId("text").addEventListener("input", ({ target }) => takeText(target.value));
  byId("file").addEventListener("change", ({ target }) => {
    if (target.files.length > 0) {
      takeTextFile(target.files[0]);
    }
  });
  change({ text: byId("text").value }); // of a page that was loaded again
}
