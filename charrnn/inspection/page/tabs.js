/* The tabs: a view is shown by its name. The views that were shown are in the browser's history. */
"use strict";

const tabs = [...document.querySelectorAll("[role=tab]")];

/** Return the name of a tab's view; its elements are "tab-" and "view-" and the name. */
function viewOf(tab) {
  return tab.id.replace("tab-", "");
}

function show(name, push = true) {
  for (const tab of tabs) {
    const chosen = viewOf(tab) === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    find(`view-${viewOf(tab)}`).hidden = !chosen;
  }
  document.body.dataset.view = name;
  const textBefore = history.state?.text;
  showAddress(push);
  if (name === "read" && reading.text === null) {
    readText(textBefore || data.passage);
  } else if (name === "write") {
    offerUnit(colour);
    writeAtFirst();
  }
}

function startTabs() {
  addEventListener("popstate", showAddressed);
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
