/* Starts the page: unpacks the network in the worker, fills the views, and shows the one that the address names. */
"use strict";

function startAbout() {
  document.title = data.title;
  find("title").textContent = data.title;
  find("subtitle").textContent = data.subtitle;
  for (const [label, value] of data.facts) {
    find("facts").append(make("dt", "", label), make("dd", "", value));
  }
}

/** Show the view of the address's fragment: a view's name, or "read/" and a unit. */
function startView() {
  const fragment = location.hash.slice(1);
  const [name] = fragment.split("/");
  show(["write", "read", "units", "about"].includes(name) ? name : "write");
  const [, unit] = /^read\/(\d+\/[ch]\/\d+)$/.exec(fragment) || [];
  const { layer, unit: number } = parseUnit(unit || "0/c/0");
  if (layer >= 1 && layer <= numLayers && number >= 1 && number <= lstmSize) {
    chooseColour(unit);
  }
}

startTheme();
startTabs();
startAbout();
startWorker();
ask("load", { model: JSON.parse(find("weights").textContent) }, { loaded: () => {
  document.body.dataset.loaded = "true";
  expectAfterPrime();
} });
startWrite();
startRead();
startUnits();
startView();
