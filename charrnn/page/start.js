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
  const [name, ...unit] = decodeURIComponent(location.hash.slice(1)).split("/");
  const known = ["write", "read", "units", "about"].includes(name);
  show(known ? name : "write");
  const [layer, part, number] = unit;
  if (layer >= 1 && layer <= numLayers && "ch".includes(part) && number >= 1 && number <= lstmSize) {
    chooseColour(unit.join("/"));
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
