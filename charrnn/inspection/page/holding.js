/* Holding a unit in Read: the network writes with the unit held at a value, and beside it as it would have been. */
"use strict";

const HELD_LENGTH = 300; // characters written

/** Bring the controls in line with the unit that colours the text. */
function showHeld() {
  find("hold").hidden = colour === "surprise";
  find("hold-unit").textContent = unitTitle(colour);
  find("hold-output").textContent = signed(Number(find("hold-value").value));
}

/** Write twice, with the units held and without. */
function compare() {
  const { ids } = encode(find("hold-prime").value, places, data.nearest);
  if (!ids.length) {
    find("hold-status").textContent = "Type a beginning of characters that the network knows.";
  } else if (find("hold-seed").reportValidity()) {
    const { temperature, top_n: topN, top_p: topP } = data.settings;
    find("hold-status").textContent = "Writing twice.";
    const held = { ...parseUnit(colour), value: Number(find("hold-value").value) };
    const seed = Number(find("hold-seed").value);
    const settings = { temperature, topN, topP };
    ask("compare", { ids, seed, length: HELD_LENGTH, settings, held }, ({ held: other, free }) => {
      const parted = other.findIndex((id, place) => id !== free[place]);
      const same = textOf(free.slice(0, parted < 0 ? free.length : parted));
      for (const [id, text] of [["hold-held", textOf(other)], ["hold-free", textOf(free)]]) {
        find(id).replaceChildren(make("span", "prime", visible(textOf(ids))), make("span", "same", visible(same)),
          visible(text.slice(same.length)));
      }
      find("hold-status").textContent = parted < 0 ? "Both texts are the same: this value changes nothing here."
        : `The texts part after ${counted(parted, "character")}.`;
    });
  }
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
