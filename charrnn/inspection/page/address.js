/* What the address holds, after the "#", so that nothing of it is sent anywhere: the view; in Read what colours the text,
 * "read/2/c/317"; in Write the beginning and the settings, "write?prime=Anna&seed=3".
 */
"use strict";

/** Return the parts of an address: {view, unit, query}, with "" for a unit that is not named. */
function parseAddress(fragment) {
  const [path, ...query] = fragment.replace(/^#/, "").split("?");
  const [view, ...unit] = path.split("/");
  return { view, unit: unit.join("/"), query: new URLSearchParams(query.join("?")) };
}

/** Return whether the network has a unit of this name. */
function isUnit(name) {
  const { layer, unit } = parseUnit(/^\d+\/[ch]\/\d+$/.test(name) ? name : "0/c/0");
  return layer >= 1 && layer <= numLayers && unit >= 1 && unit <= lstmSize;
}

function addressOf(view) {
  if (view === "read") {
    return `#read/${colour}`;
  }
  return view === "write" && written.link ? `#write?${written.link}` : `#${view}`;
}

/** Bring the address in line with what is shown; as a new entry of the history, if `push` is true. The entry keeps the text
 * that is read, so that it is still there when the page is loaded again. */
function showAddress(push = false) {
  const { view } = document.body.dataset;
  const text = reading.text ?? history.state?.text;
  const address = addressOf(view);
  if (!view || (address === location.hash && history.state?.text === text)) {
    return;
  }
  try {
    history[push ? "pushState" : "replaceState"]({ text }, "", address);
  } catch {
    // some frames have no history: the view is shown all the same
  }
}

/** Show what the address names. */
function showAddressed() {
  const { view, unit: name, query } = parseAddress(location.hash);
  if (view === "write") {
    followLink(query.toString());
  }
  chooseColour(isUnit(name) || name === "surprise" ? name : colour);
  show(find(`tab-${view}`) ? view : "write", false);
}

if (typeof module === "object") { // in node, for the tests
  module.exports = { parseAddress };
}
