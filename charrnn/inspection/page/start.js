/* Starts the page: unpacks the network in the worker, fills the views, and shows the one that the address names. */
"use strict";

ask("load", { model: JSON.parse(find("weights").textContent), chars }, () => {
  document.body.dataset.loaded = "true";
});
startWrite();
startRead();
startUnits();
startViews();
