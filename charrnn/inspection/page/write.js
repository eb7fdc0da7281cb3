/* The view Write: the controls of what is written. takes.js shows it. */
"use strict";

const EXPECTED = 8; // characters shown of what it expects next
const MOST_WRITTEN = 10000; // characters of a take after which it is not continued
const AT_FIRST = { length: 400, sentences: 2 }; // what is written when the page is opened
const NORMAL = {
  temperature: data.settings.temperature, "top-n": Math.min(data.settings.top_n, chars.length), "top-p": data.settings.top_p,
};
const MOODS = {
  quiet: { ...NORMAL, temperature: 0.5 * NORMAL.temperature },
  normal: NORMAL,
  wild: { ...NORMAL, temperature: 1.1 * NORMAL.temperature, "top-n": chars.length },
};
const DEFAULTS = { ...NORMAL, length: 1000, seed: 1 }; // of the fields that a link holds

// ---- settings

function settings() {
  const [temperature, topN, topP, speed] = ["temperature", "top-n", "top-p", "speed"].map((id) => Number(find(id).value));
  return { temperature, topN, topP, speed }; // characters a second
}

function changeSettings() {
  const { temperature, topN, topP } = settings();
  find("temperature-value").textContent = temperature.toFixed(2);
  find("top-n-value").textContent = topN >= chars.length ? "all" : topN;
  find("top-p-value").textContent = topP >= 1 ? "all" : percent(topP);
  for (const radio of document.getElementsByName("mood")) {
    radio.checked = Object.entries(MOODS[radio.value]).every(([id, value]) => Number(find(id).value) === value);
  }
  ask("change", { settings: settings() });
  showAlternatives();
}

/** Bring fields in line with values; those that are no numbers get the usual ones. */
function setFields(values) {
  for (const [id, text] of Object.entries(values)) {
    const value = Number.parseFloat(text);
    find(id).value = Number.isFinite(value) ? value : DEFAULTS[id];
  }
  changeSettings();
}

// ---- links

/** Bring the link of the take that is shown, and the address, in line with the settings and the colouring. */
function showLink() {
  const take = written.take || written.subject;
  const query = new URLSearchParams({ prime: textOf(take.beginning) });
  for (const [id, usual] of Object.entries(DEFAULTS)) {
    const value = id === "seed" ? take.seed : Number(find(id).value);
    if (value !== usual) {
      query.set(id, value);
    }
  }
  query.set("colour", find("written-colour").value);
  take.link = query.toString();
  showAddress();
}

/** Fill the fields with what a link holds, or with what is usual. */
function fillFrom(link) {
  const query = new URLSearchParams(link);
  const name = query.get("colour");
  setFields(Object.fromEntries(Object.keys(DEFAULTS).map((id) => [id, query.get(id)])));
  find("prime").value = query.get("prime") ?? data.prime;
  offerUnit(name);
  find("written-colour").value = unitOffsets.has(name) ? name : "surprise";
  recolour();
}

/** Let any unit be chosen, such as the one that colours the text in Read. */
function offerUnit(name) {
  const { options } = find("written-colour");
  if (unitOffsets.has(name) && ![...options].some(({ value }) => value === name)) {
    options.add(new Option(unitTitle(name), name));
  }
}

/** Show what a link names: a take that is here, or what is then written. Without a link, write when nothing was yet. */
function followLink(link) {
  const isOther = link && link !== (written.take || written.subject)?.link;
  const take = isOther && takes.find((each) => each.link === link);
  const isNew = isOther && !take && new URLSearchParams(link).has("prime");
  offerUnit(colour);
  if (take) {
    turnTo(take);
  } else if (isNew || !written.subject) {
    if (isNew) {
      fillFrom(link);
    }
    if (matchMedia("(prefers-reduced-motion)").matches) { // nothing moves by itself
      expectAfterPrime();
      Object.assign(written.subject, { link });
    } else if (isNew) {
      startWriting();
    } else {
      addTake(newTake(encodedPrime()));
      follow(written.take, AT_FIRST);
    }
  }
}

// ---- writing

/** Encode the beginning, and say what of it the network does not know. */
function encodedPrime() {
  const { ids, note } = encode(find("prime").value, places, data.nearest);
  showNote("prime-unknown", ids.length ? note : "Type at least one character that the network knows.");
  return ids;
}

/** Show what may follow the beginning that is typed, while nothing is written. */
function expectAfterPrime() {
  const draft = newTake(encodedPrime());
  if (!written.running) {
    chooseAt(-1);
    written.subject = draft;
    showAlternatives();
    if (draft.ids.length) {
      follow(draft, { length: 0 });
    }
  }
}

function startWriting() {
  const beginning = encodedPrime();
  if (beginning.length) {
    writeTake(newTake(beginning));
  }
}

/** Write a new take, if the fields make sense. */
function writeTake(take) {
  if (find("seed").reportValidity() && find("length").reportValidity()) {
    take.seed = Number(find("seed").value);
    addTake(take);
    showLink();
    follow(take, { length: Number(find("length").value) });
  }
}

/** Have the worker write, and keep what it writes. For no characters it only says what it expects next. */
function follow(take, { length, sentences }) {
  const { beginning, ids, seed } = take;
  const [forced, skip, toRead] = [beginning.slice(ids.length), Math.max(0, ids.length - beginning.length), ids.length];
  Object.assign(written, { running: length > 0, subject: take });
  showButtons();
  find("write-status").textContent = length ? "Writing." : "";
  ask("write", { ids, forced, seed, skip, length, sentences }, ({ read, seen, logits, drawn, seconds }) => {
    if (read) {
      find("write-status").textContent = `Reading the beginning: ${grouped(read)} of ${counted(toRead, "character")}.`;
    }
    if (seen) {
      addWritten(take, seen, logits);
    }
    if (drawn !== undefined && length) {
      finishWriting(drawn, seconds, drawn === length || Boolean(sentences));
    } else if (drawn !== undefined) {
      find("write-status").textContent = written.take ? "" : "Nothing is written yet: choose Write.";
    }
  });
}

function finishWriting(drawn, seconds, isWhole) {
  const rate = seconds > 0 ? `, ${grouped(drawn / seconds)} a second` : "";
  find("write-status").textContent = drawn === 0 ? "Stopped before the first character."
    : `${isWhole ? "Wrote" : "Stopped after"} ${counted(drawn, "character")}${rate}.`;
  written.running = false;
  showNew();
  showButtons();
}

function showButtons() {
  const { take, running } = written;
  const at = takes.indexOf(take);
  find("stop").disabled = !running;
  find("more").disabled = running || !take || take.seen.length >= MOST_WRITTEN;
  for (const id of ["copy", "look", "link", "picture"]) {
    find(id).disabled = !take;
  }
  find("versions").hidden = takes.length < 2;
  find("version").textContent = `Version ${at + 1} of ${takes.length}`;
  find("earlier").disabled = at < 1;
  find("later").disabled = at === takes.length - 1;
}

/** Show an earlier or a later take, with the settings that it was written with. */
function turnTo(take) {
  ask("stop");
  fillFrom(take.link);
  find("prime").value = textOf(take.ids.slice(0, take.start));
  showTake(take);
  showAddress();
}

/** Copy a text in the old way, which a page from disk or in a frame may use as well. */
function copy(text, told) {
  const { activeElement } = document;
  const field = make("textarea", "unseen", text);
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  activeElement.focus();
  find("write-status").textContent = told;
}

// ---- the controls

function startControls() {
  for (const beginning of data.beginnings) {
    find("beginnings").append(makeButton("", () => {
      find("prime").value = beginning;
      startWriting();
    }, beginning.replace(/\s+/g, " ")));
  }
  for (const id of ["temperature", "top-n", "top-p", "speed"]) {
    find(id).addEventListener("input", changeSettings);
  }
  find("moods").addEventListener("change", ({ target }) => setFields(MOODS[target.value]));
  find("written-colour").addEventListener("change", () => {
    recolour();
    showLink();
  });
  find("prime").addEventListener("input", expectAfterPrime);
  find("prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      startWriting();
    }
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") {
      ask("stop");
      chooseAt(-1);
    }
  });
}

function startButtons() {
  const click = (id, action) => find(id).addEventListener("click", action);
  click("start", startWriting);
  click("another", () => {
    find("seed").value = Math.floor(Math.random() * 2 ** 32);
    startWriting();
  });
  click("stop", () => ask("stop"));
  click("more", () => find("length").reportValidity() && follow(written.take, { length: Number(find("length").value) }));
  click("earlier", () => turnTo(takes[takes.indexOf(written.take) - 1]));
  click("later", () => turnTo(takes[takes.indexOf(written.take) + 1]));
  click("copy", () => copy(textOf(written.take.ids), "Copied."));
  click("link", () => {
    showLink();
    const told = "The link is copied: it holds the beginning, the settings and the colouring.";
    copy(location.href.split("#")[0] + addressOf("write"), told);
  });
  click("picture", savePicture);
  click("look", () => {
    readText(textOf(written.take.ids));
    chooseColour("surprise");
    show("read");
  });
}

function startWrite() {
  find("top-n").max = chars.length;
  startTakes();
  startControls();
  startButtons();
  showButtons();
  fillFrom("");
}
