/* The view Units: a gallery of units with what they track, each shown on a piece of the text it was measured on. */
"use strict";

/** Say in words what the sign of a unit's correlation means. */
function direction({ correlation, counts }) {
  return counts ? `${correlation < 0 ? "falls" : "rises"} with this number`
    : `is ${correlation < 0 ? "low" : "high"} where this is true`;
}

/** Make a piece of text whose characters are coloured by a unit. */
function excerptOf({ text, values }) {
  const paper = make("p", "text");
  const limits = [Math.min(...values), Math.max(...values)];
  showCells(paper, text).forEach((cell, place) => {
    tintByUnit(cell, scaled(values[place], limits));
  });
  return paper;
}

/** Make a card of the units that track one feature; the best one has an excerpt. */
function unitCard(feature, units) {
  const [best] = units;
  const { counts } = data.tracked.features.find(({ name }) => name === feature);
  return make("article", "box", make("h2", "", feature[0].toUpperCase() + feature.slice(1)),
    make("p", "hint", `${unitTitle(best.unit)} ${direction({ ...best, counts })}.`), excerptOf(best.excerpt),
    make("div", "row", ...units.map(({ unit, correlation }) => unitChip(unit, signed(correlation)))));
}

function startUnits() {
  find("units-lead").textContent =
    `What single units of the network track, found by comparing their values with properties of ${data.measured}.`;
  for (const [feature, units] of Map.groupBy(namedUnits, (each) => each.feature)) {
    find("gallery").append(unitCard(feature, units));
  }
  for (const unit of data.units.filter(({ feature }) => !feature)) {
    find("unnamed").append(make("article", "box", excerptOf(unit.excerpt), make("div", "row", unitChip(unit.unit, ""))));
  }
}
