/* The views, and what the address says after the "#", so that nothing of it is sent anywhere: the view; in Read what
 * colours the text, "read/2/c/317"; in Write the beginning and the settings, "write?prime=Anna&seed=3". */
"use strict";

/** Return the parts of an address, {view, unit, link}, with "" for those that are missing. */
function parseAddress(fragment) {
  const [path, link = ""] = fragment.replace(/^#/, "").split(/\?(.*)/s);
  const [view, ...unit] = path.split("/");
  return { view, unit: unit.join("/"), link };
}

function addressOf(view) {
  const { link } = written.take || written.subject || {};
  return view === "read" ? `#read/${colour}` : view === "write" && link ? `#write?${link}` : `#${view}`;
}

/** Bring the address in line with what is shown, and keep the text that is read for when the page is loaded again. */
function showAddress() {
  const { view } = document.body.dataset;
  try {
    history.replaceState({ text: reading.text ?? textBefore }, "", addressOf(view));
  } catch { /* some frames have no history, and some browsers take few changes: the view is shown all the same */ }
}

/** Show a view: a new entry of the history, which showAddressed follows. */
function show(view) {
  const before = location.href;
  location.hash = addressOf(view);
  if (location.href === before) { // it is this view, or some frame from disk, whose address cannot change
    showAddressed(addressOf(view));
  }
}

/** Show what the address names. */
function showAddressed(address = location.hash) {
  const { view: named, unit, link } = parseAddress(address);
  const view = find(`view-${named}`) ? named : "write";
  for (const tab of document.querySelectorAll("nav button")) {
    const isShown = tab.id === `tab-${view}`;
    tab.setAttribute("aria-current", isShown ? "page" : "false");
    find(tab.id.replace("tab", "view")).hidden = !isShown;
  }
  document.body.dataset.view = view;
  if (view === "read") {
    chooseColour(unit === "surprise" || unitOffsets.has(unit) ? unit : colour);
    if (reading.text === null) {
      readText(textBefore || data.passage);
    }
  } else if (view === "write") {
    followLink(link);
  }
  showAddress();
}

function startViews() {
  for (const tab of document.querySelectorAll("nav button")) {
    tab.addEventListener("click", () => show(tab.id.replace("tab-", "")));
  }
  addEventListener("hashchange", () => showAddressed());
  showAddressed();
}
