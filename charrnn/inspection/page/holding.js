/* Holding units in Read: the network writes with some units held at a value, and beside it as it would have been. */
"use strict";

const HELD_LENGTH = 300; // characters written
let comparing = 0; // the job

/** Return the names of the units that track the same as the one that colours the text, itself among them. */
function heldGroup() {
  const { name } = tracked(colour) || {};
  return data.units.filter(({ feature }) => name && feature === name);
}

/** Return the units to hold, {layer, part, unit, value}; those with the other sign get the opposite value. */
function heldUnits() {
  const value = Number(find("hold-value").value);
  const others = find("hold-group").checked ? heldGroup().filter(({ unit }) => unit !== colour) : [];
  return [{ ...parseUnit(colour), value }, ...others.map(({ unit, correlation }) => (
    { ...parseUnit(unit), value: value * Math.sign(correlation * tracked(colour).correlation) }))];
}

/** Bring the controls in line with the unit that colours the text. */
function showHeld() {
  find("hold").hidden = colour === "surprise";
  if (colour !== "surprise") {
    const others = heldGroup().map(({ unit }) => unit).filter((unit) => unit !== colour);
    find("hold-unit").textContent = unitTitle(colour);
    find("hold-group").parentElement.hidden = !others.length;
    find("hold-others").textContent = `hold those that track the same too: ${others.join(", ")}`;
    find("hold-output").textContent = signed(Number(find("hold-value").value));
  }
}

/** Write twice, with the units held and without. */
function compare() {
  const { ids } = encode(find("hold-prime").value, places, data.nearest);
  if (!ids.length) {
    find("hold-status").textContent = "Type a beginning of characters that the network knows.";
    return;
  }
  const { temperature, top_n: topN, top_p: topP } = data.settings;
  const texts = { held: [], free: [] };
  jobs.delete(comparing);
  find("hold-status").textContent = "Writing twice.";
  comparing = ask("compare", {
    ids, held: heldUnits(), length: HELD_LENGTH, seed: numberIn(find("hold-seed")),
    settings: { temperature, topN, topP },
  }, {
    compared: ({ held, free }) => {
      texts.held.push(...held);
      texts.free.push(...free);
      showBeside(find("hold-held"), ids, texts.held, texts.free);
      showBeside(find("hold-free"), ids, texts.free, texts.held);
    },
    done: () => {
      const parted = texts.held.findIndex((id, place) => id !== texts.free[place]);
      find("hold-status").textContent = parted < 0 ? "Both texts are the same: this value changes nothing here."
        : `The texts part after ${counted(parted, "character")}.`;
    },
  });
}

/** Show a beginning and what was written after it, faint as far as another text is the same. */
function showBeside(paper, ids, own, other) {
  const parted = own.findIndex((id, place) => id !== other[place]);
  const same = parted < 0 ? own.length : parted;
  const textOf = (some) => visible(some.map((id) => chars[id]).join(""));
  paper.replaceChildren(make("span", "prime", textOf(ids)), make("span", "same", textOf(own.slice(0, same))),
    textOf(own.slice(same)));
}

function startHolding() {
  find("hold-prime").value = data.prime;
  find("hold-value").addEventListener("input", showHeld);
  find("hold-write").addEventListener("click", compare);
  find("hold-prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      compare();
    }
  });
}
