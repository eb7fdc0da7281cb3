/* The tabs: a view is shown by its name, which is also the address's fragment. */
"use strict";

const tabs = [...document.querySelectorAll("[role=tab]")];

/** Return the name of a tab's view; its elements are "tab-" and "view-" and the name. */
function viewOf(tab) {
  return tab.id.replace("tab-", "");
}

function show(name) {
  for (const tab of tabs) {
    const chosen = viewOf(tab) === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    find(`view-${viewOf(tab)}`).hidden = !chosen;
  }
  document.body.dataset.view = name;
  if (name === "read" && reading.text === null) {
    readText(data.passage);
  }
  showAddress();
}

/** Bring the address in line with what is shown: a view's name, or "read/" and a unit. */
function showAddress() {
  const { view } = document.body.dataset;
  try {
    history.replaceState(null, "", view === "read" && colour !== "surprise" ? `#read/${colour}` : `#${view}`);
  } catch {
    // some frames have no history: the view is shown all the same
  }
}

/** Show what the address names. */
function showAddressed() {
  const fragment = location.hash.slice(1);
  const [name] = fragment.split("/");
  const [, unit] = /^read\/(\d+\/[ch]\/\d+)$/.exec(fragment) || [];
  const { layer, unit: number } = parseUnit(unit || "0/c/0");
  const exists = layer >= 1 && layer <= numLayers && number >= 1 && number <= lstmSize;
  chooseColour(exists ? unit : colour);
  show(find(`tab-${name}`) ? name : "write");
}

function startTabs() {
  addEventListener("hashchange", showAddressed);
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => show(viewOf(tab)));
    tab.addEventListener("keydown", (event) => {
      const target = {
        ArrowRight: (index + 1) % tabs.length, ArrowLeft: (index || tabs.length) - 1, Home: 0, End: tabs.length - 1,
      }[event.key];
      if (target !== undefined) {
        event.preventDefault();
        tabs[target].focus();
        tabs[target].click();
      }
    });
  });
}
