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
  const paper = make("p", "text");
  const limits = [Math.min(...values), Math.max(...values)];
  showCells(paper, Array.from(text)).forEach((cell, place) => {
    tintByUnit(cell.firstChild, scaled(values[place], limits));
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
  return counts ? `${correlation < 0 ? "falls" : "rises"} with this number`
    : `is ${correlation < 0 ? "low" : "high"} where this is true`;
}

/** Make a card of the units that track one feature; the best one has an excerpt. */
function unitCard(feature, units) {
  const [best] = units;
  const { counts } = data.tracked.features.find(({ name }) => name === feature);
  return make("article", "box", make("h2", "", feature[0].toUpperCase() + feature.slice(1)),
    make("p", "hint", `${unitTitle(best.unit)} ${direction({ ...best, counts })}.`), excerptOf(best.excerpt),
    make("div", "row", ...units.map(unitButton)));
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
      gallery.append(make("article", "box", excerptOf(unit.excerpt), make("div", "row", unitButton(unit))));
    }
  }
}
