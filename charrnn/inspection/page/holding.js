/* Holding units in Read: the network writes with some units held at a value, and beside it as it would have been. */
"use strict";

const HELD_LENGTH = 300; // characters written

/** Return the units to hold, {unit, sign}: the one that colours the text, and those that track the same thing. */
function heldUnits() {
  const { name, correlation: own } = tracked(colour) || {};
  const others = namedUnits.filter(({ feature, unit }) => feature === name && unit !== colour);
  return [{ unit: colour, sign: 1 }, ...others.map(({ unit, correlation }) => ({ unit, sign: Math.sign(correlation * own) }))];
}

/** Bring the controls in line with the unit that colours the text. */
function showHeld() {
  const others = heldUnits().slice(1);
  find("hold").hidden = colour === "surprise";
  find("hold-unit").textContent = unitTitle(colour);
  find("hold-group").parentElement.hidden = !others.length;
  find("hold-others").textContent = others.map(({ unit }) => unit).join(", ");
  find("hold-output").textContent = signed(Number(find("hold-value").value));
}

/** Write twice, with the units held and without. */
function compare() {
  const { ids } = encode(find("hold-prime").value, places, data.nearest);
  if (!ids.length) {
    find("hold-status").textContent = "Type a beginning of characters that the network knows.";
  } else if (find("hold-seed").reportValidity()) {
    const { temperature, top_n: topN, top_p: topP } = data.settings;
    const value = Number(find("hold-value").value);
    const units = find("hold-group").checked ? heldUnits() : heldUnits().slice(0, 1);
    const held = units.map(({ unit, sign }) => ({ ...parseUnit(unit), value: sign * value }));
    const given = { ids, seed: Number(find("hold-seed").value), length: HELD_LENGTH, settings: { temperature, topN, topP } };
    find("hold-status").textContent = "Writing twice.";
    ask("compare", { ...given, held }, ({ held: other, free }) => {
      const parted = other.findIndex((id, place) => id !== free[place]);
      const same = textOf(free.slice(0, parted < 0 ? free.length : parted));
      for (const [id, text] of [["hold-held", textOf(other)], ["hold-free", textOf(free)]]) {
        find(id).replaceChildren(make("span", "prime", visible(textOf(ids))), make("span", "same", visible(same)),
          visible(text.slice(same.length)));
      }
      find("hold-status").textContent = parted < 0 ? "Both texts are the same: this value changes nothing here."
        : `The texts differ after ${counted(parted, "character")}.`;
    });
  }
}

function startHolding() {
  find("hold-prime").value = data.prime;
  find("hold-value").addEventListener("input", showHeld);
  find("hold-form").addEventListener("submit", (event) => {
    event.preventDefault();
    compare();
  });
}
