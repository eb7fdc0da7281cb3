/* What the network has found out: properties of the text that can be read from its memory, each by a probe. One of these
 * directions is watched, and can be held. */
import { isNew, state } from "../shared/change.js";
import { grouped, signed } from "../shared/numbers.js";
import { Paper } from "../shared/paper.js";
import { byId, make, makeButton, showText } from "../shared/view.js";
import { onPaper } from "../shared/writing.js";
import { isOverfitting, watch } from "./learning.js";
import { draft } from "./run.js";

const heldPaper = new Paper("held", "unit");

/** Draw for each property of the text whether it can be read, and since when. */
export function drawTracked() {
  const { properties, watched } = state;
  const list = byId("tracked");
  if (isNew("tracked", properties, isOverfitting())) {
    const focused = document.activeElement.closest("#tracked button")?.value;
    const lines = properties?.map(lineOf) ?? [];
    list.replaceChildren(...lines.map((line) => make("li", "small", line)));
    list.querySelector(`[value="${focused}"]`)?.focus({ preventScroll: true });
  }
  byId("nothing").hidden = properties?.length > 0;
  if (properties !== null) {
    showText("nothing", "This text has none of the properties that are looked for.");
  } else if (state.network?.isLarge) {
    showText("nothing", "In a network of this size, it is looked for when it pauses.");
  } else {
    showText("nothing", "Nothing yet: press Start.");
  }
  for (const button of list.querySelectorAll("button")) {
    button.ariaPressed = button.value === watched?.unit;
  }
}

/** Return what is shown of a property: a sentence, or a button once it is found. */
function lineOf(property, index) {
  const { name, correlation } = property;
  const moment = state.since[name];
  if (moment === undefined) {
    const before = state.network.untrained[index].correlation;
    const now = `The correlation is ${signed(correlation)}`;
    return `${name}: ${whyNot(name)}. ${now}, and was ${signed(before)} before it learned.`;
  }

  const since = `since step ${grouped(moment.updates)} (${grouped(moment.seconds)} s)`;
  const description = `: ${since}, correlation ${signed(correlation)}`;
  const button = makeButton("chip", () => watch(property, index), make("b", "", name), description);
  button.value = name;
  return button;
}

/** Say of a property that it is not found, or not any more. */
function whyNot(name) {
  if (!state.found.has(name)) {
    return "not yet";
  }
  return isOverfitting() ? "no longer, while it learns the text by heart" : "no longer";
}

/** Draw the handle where it holds what is watched, and have the network write the text below it. */
export function drawHeld() {
  const { watched, held, looks } = state;
  byId("handle").hidden = watched === null;
  heldPaper.colourBy("unit");
  if (watched === null || !isNew("held", watched, held, looks)) {
    return;
  }

  const [low, high] = watched.ends;
  showText("left", low);
  showText("right", high);
  const isFree = held.direction === null;
  byId("release").hidden = isFree;
  if (isFree) {
    byId("hold").value = 0;
    showText("hold-said", "Drag the handle while the network writes.");
  } else {
    showText(
      "hold-said",
      `Held at ${signed(held.value)} while it writes: 0 is as it is on the mean outside, 1 inside. Compare the two ends.`,
    );
  }
  draft("held", held, (text) => heldPaper.show(onPaper(text)));
}
