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

startTheme();
startTabs();
startAbout();
startWorker();
ask("load", { model: JSON.parse(find("weights").textContent), chars }, { loaded: () => {
  document.body.dataset.loaded = "true";
} });
startWrite();
startRead();
startUnits();
showAddressed();
