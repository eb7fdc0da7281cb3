/* What the reader brings: a text that is typed or in a file, or a network in a file. */
import { ask, byId, showNote } from "../shared/view.js";
import { mayLose } from "./progress.js";
import { choose } from "./run.js";
import { GENTLE_RATE, showSizes, useRate } from "./settings.js";
import { chosen, isFieldChanged, own, restoreField } from "./sources.js";

/** Take a text or a network from a file. */
export async function takeFile(file) {
  const bytes = await file.arrayBuffer();
  if (/\.npz$/i.test(file.name)) {
    takeNetwork(bytes, file.name);
    return;
  }

  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const reason = "cannot be read as UTF-8 text. Perhaps it is UTF-16, or no text at all.";
    showNote("note", `${file.name} ${reason}`);
    return;
  }
  takeText(text, file.name);
}

function takeNetwork(bytes, name) {
  ask("unpack", { bytes }, ({ refused, sizes }) => {
    if (refused) {
      showNote("note", `${name}: ${refused}`);
    } else if (mayLose()) {
      showSizes(sizes);
      choose(chosen.source, { name, sizes });
      useRate(GENTLE_RATE);
    }
  });
}

/** Take a text of the reader's own. */
function takeText(text, name = "your text") {
  if (!mayLose()) {
    restoreField();
    return;
  }
  own.name = name;
  own.text = text;
  choose(own);
}

/** Take what was typed or pasted. Some phones tell of it late, so that it is looked for at Start as well. */
export function takeField() {
  if (isFieldChanged()) {
    takeText(byId("text").value);
  }
}
