/* The view Units: a gallery of units with what they track, each shown on a piece of the text it was measured on. */
"use strict";

/** Group the units by what they track; those that track nothing by name come last, under null. */
function groupsOf(units) {
  const groups = new Map();
  for (const unit of units) {
    groups.set(unit.feature, [...(groups.get(unit.feature) || []), unit]);
  }
  return [...groups].sort((a, b) => (a[0] === null) - (b[0] === null));
}

/** Make a piece of text whose characters are coloured by a unit. */
function excerptOf({ text, values }) {
  const paper = make("p", "text excerpt");
  paper.dataset.colour = "unit";
  Array.from(text).forEach((char, place) => {
    const cell = make("b", char === "\n" ? "end" : "", char === "\n" ? "" : visible(char));
    tint(cell, values[place] / 127);
    paper.append(cell);
    if (char === "\n") {
      paper.append(make("br"));
    }
  });
  return paper;
}

function unitButton(unit) {
  const correlation = unit.feature === null ? "" : signed(unit.correlation);
  const button = make("button", "chip", unit.unit, make("small", "", correlation));
  button.type = "button";
  button.title = "Colour the text by this unit";
  button.addEventListener("click", () => {
    show("read");
    chooseColour(unit.unit);
  });
  return button;
}

/** Say in words what the sign of a unit's correlation means. */
function direction({ correlation, counts }) {
  if (counts) {
    return correlation < 0 ? "falls with this number" : "rises with this number";
  }
  return correlation < 0 ? "low where this is true" : "high where this is true";
}

/** Make a card of the units that track one feature; the best one has an excerpt, and its correlation a bar. */
function unitCard(feature, units) {
  const [best] = units;
  const meter = make("span", "track", make("i", "fill"));
  meter.firstChild.style.width = `${100 * Math.abs(best.correlation)}%`;
  const heading = make("div", "heading", make("h3", "", feature),
    make("span", "how", `Unit ${best.unit}: ${direction(best)}`), meter,
    make("span", "share", signed(best.correlation)));
  return make("article", "unit-card", heading, excerptOf(best.excerpt), make("div", "chips", ...units.map(unitButton)));
}

function startUnits() {
  const gallery = find("gallery");
  find("units-lead").textContent =
    `What single units of the network track, found by comparing their values with properties of ${data.measured}.`;
  for (const [feature, units] of groupsOf(data.units)) {
    if (feature !== null) {
      gallery.append(unitCard(feature, units));
      continue;
    }
    gallery.append(make("h2", "wide", "Expressive units without a name"),
      make("p", "hint wide",
        "These vary the most among the units that track none of the properties that were looked for."));
    for (const unit of units) {
      gallery.append(make("article", "unit-card", excerptOf(unit.excerpt), make("div", "chips", unitButton(unit))));
    }
  }
}
