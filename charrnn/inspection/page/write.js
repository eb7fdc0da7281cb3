/* The view Write: the controls of what is written. takes.js shows it. */
"use strict";

const EXPECTED = 8; // characters shown of what it expects next
const SENTENCES = 2; // written when the page is opened,
const AT_FIRST = 400; // in at most so many characters
const FIELDS = ["temperature", "top-n", "top-p", "length", "seed"]; // those that a link holds
const DEFAULTS = { // their values where a link does not name them
  temperature: data.settings.temperature, "top-n": Math.min(data.settings.top_n, chars.length), "top-p": data.settings.top_p, length: 1000, seed: 1,
};
const MOODS = {
  quiet: { ...DEFAULTS, temperature: 0.5 * DEFAULTS.temperature },
  normal: DEFAULTS,
  wild: { ...DEFAULTS, temperature: 1.1 * DEFAULTS.temperature, "top-n": chars.length },
};
const OF_MOODS = ["temperature", "top-n", "top-p"];

// ---- settings

function settings() {
  return {
    temperature: Number(find("temperature").value),
    topN: Number(find("top-n").value),
    topP: Number(find("top-p").value),
    speed: Number(find("speed").value) || Infinity, // characters a second
  };
}

/** Return the whole number in a field, brought into its range; an empty field gets its usual number. A note says so. */
function numberIn(field) {
  const { value, id } = field;
  const [min, max] = [Number(field.min), Number(field.max)];
  const used = Math.min(Math.max(value === "" ? DEFAULTS[id] ?? min : Math.round(Number(value)), min), max);
  if (id in DEFAULTS && String(used) !== value) {
    const name = field.labels[0].firstChild.textContent.trim();
    const matter = value === "" ? "was empty" : `goes from ${grouped(min)} to ${grouped(max)}`;
    showNote("field-note", `${name} ${matter}: ${grouped(used)} is used.`);
  }
  field.value = used;
  return used;
}

function showSettings() {
  const { temperature, topN, topP } = settings();
  find("temperature-value").textContent = temperature.toFixed(2);
  find("top-n-value").textContent = topN >= chars.length ? "all" : topN;
  find("top-p-value").textContent = topP >= 1 ? "all" : percent(topP);
  for (const radio of document.getElementsByName("mood")) {
    radio.checked = OF_MOODS.every((id) => Number(find(id).value) === MOODS[radio.value][id]);
  }
  showAlternatives();
}

/** Bring fields in line with values; those that are missing or no numbers get the usual ones. */
function setFields(ids, values) {
  for (const id of ids) {
    const value = Number.parseFloat(values[id]);
    find(id).value = Number.isFinite(value) ? value : DEFAULTS[id];
  }
  changeSettings();
}

function changeSettings() {
  showSettings();
  worker.postMessage({ type: "change", settings: settings() });
}

// ---- links

/** Return what a link holds: the beginning of a take with the characters that were chosen in it, settings, colouring. */
function linkOf({ ids, start, chosen }) {
  const query = new URLSearchParams({ prime: textOf(ids.slice(0, Math.max(start, ...[...chosen].map((at) => at + 1)))) });
  for (const id of FIELDS) {
    if (Number(find(id).value) !== DEFAULTS[id]) {
      query.set(id, find(id).value);
    }
  }
  query.set("colour", find("written-colour").value);
  return query.toString();
}

/** Bring the address in line with the beginning and the settings. */
function showLink() {
  const { take } = written;
  const typed = find("prime").value;
  written.link = linkOf(take?.typed === typed ? take : newTake(encode(typed, places, data.nearest).ids));
  showAddress();
}

/** Fill the fields with what a link holds. Return whether it is another text than the one that is shown. */
function fillFrom(link) {
  const query = new URLSearchParams(link);
  const isOther = query.has("prime") && link !== written.link;
  if (isOther) {
    setFields(FIELDS, Object.fromEntries(query));
    chooseWrittenColour(query.get("colour") ?? "surprise");
    find("prime").value = query.get("prime");
  }
  return isOther;
}

function followLink(link) {
  if (fillFrom(link)) {
    written.link = link;
    if (!matchMedia("(prefers-reduced-motion)").matches) {
      startWriting();
    }
  }
}

// ---- writing

/** Encode the beginning, and say what of it the network does not know. Return null where nothing is left of it. */
function encodedPrime() {
  const { ids, note } = encode(find("prime").value, places, data.nearest);
  showNote("prime-unknown", ids.length ? note : "Type at least one character that the network knows.");
  return ids.length ? ids : null;
}

function expectAfterPrime() {
  if (written.job) {
    return;
  }
  const ids = encodedPrime();
  const draft = newTake(ids || []);
  Object.assign(written, { subject: draft, at: -1 });
  showAlternatives();
  if (ids) {
    written.expecting = ask("expect", { ids }, { progress: showProgress(ids), expected: ({ logits }) => {
      draft.logits = logits;
      find("write-status").textContent = written.take ? "" : "Nothing is written yet: choose Write.";
      showAlternatives();
    } });
  }
}

function showProgress({ length }) {
  return ({ read }) => {
    find("write-status").textContent = `Reading the beginning: ${grouped(read)} of ${counted(length, "character")}.`;
  };
}

function startWriting() {
  const ids = encodedPrime();
  if (ids) {
    writeTake(newTake(ids));
  } else {
    find("prime").focus();
  }
}

/** Write two sentences when the view is shown at first, unless the visitor prefers that nothing moves by itself. */
function writeAtFirst() {
  if (written.subject) {
    return;
  }
  if (matchMedia("(prefers-reduced-motion)").matches) {
    expectAfterPrime();
  } else if (encodedPrime()) {
    const take = newTake(encodedPrime());
    addTake(take);
    follow(take, { length: AT_FIRST, sentences: SENTENCES });
  }
}

/** Write a new take. */
function writeTake(take) {
  showNote("field-note", "");
  take.seed = numberIn(find("seed"));
  const length = numberIn(find("length"));
  take.typed = find("prime").value;
  take.link = linkOf(take);
  addTake(take);
  showAddress();
  follow(take, { length });
}

/** Have the worker write, and keep what it writes. */
function follow(take, { length, sentences }) {
  jobs.delete(written.expecting); // what it still sends is not wanted
  take.number = take.number || lastJob + 1;
  const job = ask("write", {
    take: take.number, ids: take.ids, seed: take.seed ?? DEFAULTS.seed, length, sentences, settings: settings(),
  }, {
    progress: showProgress(take.ids),
    begun: ({ activations }) => {
      find("write-status").textContent = "Writing.";
      if (take.seen.length) { // the last one was chosen
        take.seen[take.seen.length - 1].activations ||= activations;
        recolour();
      }
    },
    written: (answer) => addWritten(take, answer),
    done: ({ drawn, seconds }) => {
      if (written.job === job) { // and no other writing has begun
        finishWriting(drawn, seconds, drawn === length);
      }
    },
  });
  written.job = job;
  find("write-status").textContent = "Writing.";
  showButtons();
}

function addWritten(take, { seen, logits }) {
  const room = Math.max(0, MOST_COLOURED - take.seen.length);
  take.ids.push(...seen.map(({ id }) => id));
  take.seen.push(...seen.slice(0, room));
  take.logits = logits;
  if (take === written.take) {
    showSoon();
  }
}

function finishWriting(drawn, seconds, isWhole) {
  const rate = seconds > 0 ? `, ${grouped(drawn / seconds)} a second` : "";
  find("write-status").textContent = drawn === 0 ? "Stopped before the first character."
    : `${isWhole ? "Wrote" : "Stopped after"} ${counted(drawn, "character")}${rate}.`;
  written.job = 0;
  showNew();
  showButtons();
}

function stopWriting() {
  worker.postMessage({ type: "stop" });
}

function showButtons() {
  const { take, job } = written;
  const at = takes.indexOf(take);
  find("stop").disabled = !job;
  find("more").disabled = Boolean(job) || !take;
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
  stopWriting();
  fillFrom(take.link);
  find("prime").value = take.typed ?? data.prime;
  showTake(take);
  showAddress();
}

async function copy(text, told) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from disk or in a frame may not: the old way
    const field = make("textarea", "unseen", text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  find("write-status").textContent = told;
}

// ---- the controls

/** Let any unit be chosen, such as the one that colours the text in Read. */
function offerUnit(name) {
  const { options } = find("written-colour");
  if (isUnit(name) && ![...options].some(({ value }) => value === name)) {
    options.add(new Option(unitTitle(name), name));
  }
}

function chooseWrittenColour(name) {
  const select = find("written-colour");
  offerUnit(name);
  select.value = name;
  select.selectedIndex = Math.max(0, select.selectedIndex);
  recolour();
}

function fillWrite() {
  for (const beginning of data.beginnings) {
    const button = make("button", "", beginning.replace(/\s+/g, " "));
    button.type = "button";
    button.addEventListener("click", () => {
      find("prime").value = beginning;
      startWriting();
    });
    find("beginnings").append(button);
  }
  for (const { unit, feature } of data.units.filter((each) => each.feature)) {
    find("written-colour").append(new Option(`${feature} (${unit})`, unit));
  }
  find("prime").value = data.prime;
  find("top-n").max = chars.length;
  for (let row = 0; row < EXPECTED; row++) {
    find("expected").append(make("li", "", make("button", "bar")));
  }
}

function startWrite() {
  fillWrite();
  setFields(FIELDS, {});
  recolour();
  for (const id of ["temperature", "top-n", "top-p", "speed"]) {
    find(id).addEventListener("input", changeSettings);
  }
  for (const id of FIELDS) {
    find(id).addEventListener("change", showLink);
  }
  find("moods").addEventListener("change", ({ target }) => {
    setFields(OF_MOODS, MOODS[target.value]);
    showLink();
  });
  find("written-colour").addEventListener("change", () => {
    recolour();
    showLink();
  });
  find("prime").addEventListener("input", expectAfterPrime);
  find("prime").addEventListener("change", showLink);
  find("prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      startWriting();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      stopWriting();
      chooseAt(-1);
    }
  });
  find("written").addEventListener("keydown", moveChoice);
  find("written").addEventListener("click", ({ target }) => {
    chooseAt([...written.cells].find(([, cell]) => cell === target)?.[0] ?? -1);
  });
  startButtons();
}

function startButtons() {
  const click = (id, action) => find(id).addEventListener("click", action);
  click("start", startWriting);
  click("another", () => {
    find("seed").value = Math.floor(Math.random() * 2 ** 32);
    startWriting();
  });
  click("stop", stopWriting);
  click("more", () => follow(written.take, { length: numberIn(find("length")) }));
  click("earlier", () => turnTo(takes[takes.indexOf(written.take) - 1]));
  click("later", () => turnTo(takes[takes.indexOf(written.take) + 1]));
  click("copy", () => copy(written.text, "Copied."));
  click("link", () => {
    showLink();
    const told = "The link is copied: it holds the beginning, the settings and the colouring.";
    copy(location.href.split("#")[0] + addressOf("write"), told);
  });
  click("picture", savePicture);
  click("look", () => {
    readText(written.text);
    chooseColour("surprise");
    show("read");
  });
  showButtons();
}
