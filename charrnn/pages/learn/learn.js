/* The page on which a network learns. The worker learns; this asks it, and shows what it answers. */
import { Paper } from "../shared/paper.js";
import {
  ask,
  byId,
  copy,
  fail,
  make,
  makeButton,
  moveByKeys,
  onClick,
  showNote,
  startWorker,
} from "../shared/view.js";
import {
  chars,
  recordsOf,
  setCharacters,
  setWatched,
  textOf,
  valueAt,
  watched,
} from "../shared/shown.js";
import { counted, grouped, signed, unitName, unitTitle, visible } from "../shared/text.js";
import { endWithWord, onPaper, writeText } from "../shared/writing.js";
import { drawPictures, laidOut, spelled } from "../shared/drawing.js";
import { showCurves } from "./curve.js";

const [LOOK, WRITTEN, MOST_SHOWN] = [700, 220, 100000];
const [LEAST_CORRELATION, LEAST_ABOVE] = [0.3, 0.2]; // as in charrnn/inspection/units.py
const WORSE = 0.07; // bits above the best loss of what is held out, from which on it is overfitting
const WORTH = 50; // steps that nobody wants to lose without being asked
const [USUAL, GENTLE] = [-2.5, -3.5]; // exponents of the rate, the latter for a network that has learned before
const FIELDS = [
  ["layers", "1"],
  ["units", "128"],
  ["rate", USUAL],
  ["temperature", "0.7"],
]; // of a link, with first values
const free = { unit: null, value: null };
const own = { label: "your own text", name: "your text", text: "" };
const sources = [
  ...Array.from(document.querySelectorAll("script[title]"), ({ title, textContent }) => ({
    label: title,
    name: title,
    text: textContent,
  })),
  own,
];
const papers = { passage: new Paper("passage", "surprise"), held: new Paper("held", "unit") };
// source: what is learned; file: the network that goes on, {name, sizes}; network: what the worker has said of the one that
// learns, or null; updates: its steps, of which `saved` are in a file; looks: at what it makes of the text, each {updates,
// read, held, text}; best: the best of them; moment: the one of which the text is shown
const state = { drafts: 0, held: free };
const isLearned = () => Boolean(state.network) && state.updates - state.saved >= WORTH;

/** Return whether what was learned may be lost. */
function mayLose() {
  return (
    !isLearned() ||
    confirm(
      `What the network has learned in ${grouped(
        state.updates,
      )} steps is not saved. Shall it be lost?`,
    )
  );
}

/** Take a text, and perhaps a network that goes on with it. They are used when Start is pressed. */
function choose(source, file = state.file) {
  const { label, name, text } = source;
  const [numLayers, lstmSize] = ["layers", "units"].map((id) => Number(byId(id).value));
  Object.assign(state, {
    source,
    file,
    sizes: { numLayers, lstmSize },
    looks: null,
    network: null,
  });
  pause();
  setWatched(null);
  colourPassage("surprise");
  holdAt(free);
  for (const button of byId("texts").children) {
    button.ariaPressed = button.value === label;
  }
  byId("own").open = source === own;
  byId("text").value = text.length > MOST_SHOWN ? "" : text;
  state.inField = byId("text").value;
  byId("text-note").textContent = `${name}, ${counted(text.length, "character")}.`;
  byId("said").textContent = file
    ? `Press Start: ${file.name} goes on with this text. It has ${counted(
        file.sizes.numLayers,
        "layer",
      )} of ${file.sizes.lstmSize} units.`
    : "";
  byId("tracked").replaceChildren();
  showNote("note", "");
  showKept();
}

/** Show the sizes of the next network, also such as the page does not offer. */
function showSizes({ numLayers, lstmSize }) {
  for (const [id, size] of [
    ["layers", numLayers],
    ["units", lstmSize],
  ]) {
    const offered = Array.from(byId(id).options).find(({ text }) => text === String(size));
    Object.assign(offered || byId(`${id}-other`), { text: size, selected: true });
  }
}

function begin() {
  const { source, file, sizes, seed } = state;
  const kernels = ["fused", "kernel"].map((id) => byId(id).textContent);
  const looks = [];
  Object.assign(state, { looks, updates: 0, saved: 0, best: null, began: {}, seen: [] });
  byId("said").textContent = "The network is made.";
  const message = { text: source.text, sizes, seed, goesOn: Boolean(file), kernels };
  ask("begin", message, ({ refused, ...network }) => {
    if (state.looks !== looks) {
      return; // another text was chosen meanwhile
    }
    if (refused) {
      choose(source);
      showNote("note", refused);
      return;
    }
    state.network = network;
    setCharacters(network.chars);
    byId("text-note").textContent += ` ${network.note}`;
    showPassage(network);
    look();
    if (state.isRunning) {
      learn();
    }
  });
}

/** Show the passage that is looked at, and say what it is. */
function showPassage({ passage, heldFrom, heldOut }) {
  const unseen = passage.length - heldFrom;
  byId("passage-said").textContent = heldFrom
    ? `This is the end of the text. What is underlined it has practised; the last ${counted(
        heldOut,
        "character",
      )} it has never seen.`
    : `It never learns the last tenth of the text, ${counted(
        heldOut,
        "character",
      )}. ${unseen < heldOut ? `These are the first ${grouped(unseen)} of them.` : "These are they."}`;
  papers.passage.show({
    ids: passage,
    start: heldFrom,
    recordAt: (place) => state.seen[place],
    inWorker: () => ({ key: "passage" }),
  });
}

function learn() {
  setRunning(true);
  showNote("note", "");
  if (!state.network) {
    begin();
    return;
  }
  ask("learn", {}, ({ diverged, ...report }) => {
    if (!state.network) {
      return;
    }
    if (diverged !== undefined) {
      goBack(diverged);
      return;
    }
    showReport(report);
    if (performance.now() > state.nextLook) {
      look();
    }
  });
}

/** The training diverged, and the worker has gone back to its best step. */
function goBack(step) {
  pause();
  showNote(
    "note",
    `It diverged: at this rate, each step leads further away. It is back at its best step, ${grouped(
      step,
    )}. Choose a smaller rate.`,
  );
  state.looks = state.looks.filter(({ updates }) => updates <= step);
  state.moment = state.looks.at(-1);
  look();
}

function pause() {
  setRunning(false);
  ask("stop", { of: "learn" });
}

function setRunning(isRunning) {
  state.isRunning = isRunning;
  byId("said").ariaLive = isRunning ? "off" : "polite"; // nobody wants to hear it four times a second
  byId("start").textContent = isRunning ? "Pause" : state.network ? "Go on" : "Start";
}

function showReport({ updates, epoch, loss }) {
  state.updates = updates;
  byId("said").textContent =
    `Step ${grouped(updates)}, epoch ${epoch < 10 ? epoch.toFixed(1) : grouped(epoch)}, loss ${loss.toFixed(
      2,
    )} bits.`;
}

/** Look at what the network makes of the end of the text, and have it write. */
function look() {
  const { network } = state;
  const began = performance.now();
  if (!network) {
    return;
  }
  state.nextLook = Infinity;
  ask("look", {}, ({ units, updates, seconds, read, held, isBest, ...found }) => {
    if (state.network !== network) {
      return;
    }
    state.seen = recordsOf(found);
    papers.passage.recolour();
    showTracked(units, updates, seconds);
    write({ updates, read, held }, isBest);
    state.nextLook = performance.now() + Math.max(LOOK, performance.now() - began);
  });
}

/** Have the network write what belongs to a look, always with the same beginning and the same random numbers. */
function write(looked, isBest) {
  draft("write", free, ({ ids }) => {
    const { looks } = state;
    const isNewest = !looks.length || looks.at(-1) === state.moment;
    if (looks.at(-1)?.updates !== looked.updates) {
      looks.push({});
    }
    Object.assign(looks.at(-1), looked, { text: textOf(ids) });
    state.best = isBest ? looks.at(-1) : state.best;
    showMoment(isNewest ? looks.at(-1) : state.moment);
    showKept();
    showHeld();
  });
}

/** Show the look that is nearest to a step. */
function showStep(step) {
  const distance = ({ updates }) => Math.abs(updates - step);
  showMoment(
    state.looks.reduce((nearest, look) => (distance(look) < distance(nearest) ? look : nearest)),
  );
}

/** Show what was written at a look. */
function showMoment(moment) {
  const { looks, network } = state;
  const start = textOf(network.beginning).length;
  const last = looks.at(-1).updates;
  const when = `after ${moment.updates < last ? `${grouped(moment.updates)} of ` : ""}${counted(last, "step")}`;
  byId("sample").replaceChildren(
    make("span", "prime", visible(moment.text.slice(0, start))),
    visible(moment.text.slice(start)),
  );
  byId("when").textContent = when;
  byId("time").ariaValueText = when;
  state.moment = moment;
  drawCurves();
}

/** Have the network go on from its beginning, with a unit held or none, and show the text when it is done. */
function draft(of, held, show) {
  const { seed, network } = state;
  const { beginning } = network;
  const plan = [
    { at: 0, temperature: Number(byId("temperature").value), topN: chars.length, topP: 1, ...held },
  ];
  state.drafts++;
  const text = {
    of,
    number: state.drafts,
    ids: [...beginning],
    start: beginning.length,
    seen: [],
    seed,
    plan,
    length: WRITTEN,
  };
  writeText(text, {}, (last) => {
    if (last && state.network === network) {
      endWithWord(text);
      show(text);
    }
  });
}

/** Show for each property of the text whether a unit tracks it, more closely than before the training, and since when. */
function showTracked(units, updates, seconds) {
  const {
    network: { untrained },
    began,
  } = state;
  const atKeyboard = document.activeElement.closest("#tracked button")?.value;
  const lines = units.map((entry, feature) => {
    const [now, before] = [entry, untrained[feature]].map(({ correlation }) =>
      Math.abs(correlation),
    );
    if (now < Math.max(LEAST_CORRELATION, before + LEAST_ABOVE)) {
      delete began[entry.name];
      return `${entry.name}: not yet. The best correlation is ${now.toFixed(2)}, and was ${before.toFixed(2)} before it learned.`;
    }
    began[entry.name] ||= { updates, seconds };
    return trackedButton(entry);
  });
  byId("tracked").replaceChildren(...lines.map((line) => make("li", "small", line)));
  byId("tracked").querySelector(`[value="${atKeyboard}"]`)?.focus({ preventScroll: true });
  showNote(
    "nothing",
    units.length ? "" : "This text has none of the properties that are looked for.",
  );
  const now = units.find(({ name }) => name === watched?.name && began[name]);
  if (now && !state.held.unit) {
    watch(now);
  }
}

/** Return a button with what a unit tracks, by which it is watched. */
function trackedButton(entry) {
  const { name, offset, correlation } = entry;
  const { updates, seconds } = state.began[name];
  const said = `: since step ${grouped(updates)} (${grouped(seconds)} s), ${unitTitle(
    unitName(offset, state.network.lstmSize),
  )}, correlation ${signed(correlation)}`;
  return Object.assign(
    makeButton("chip", () => watch(entry), make("b", "", name), said),
    { value: name, ariaPressed: name === watched?.name },
  );
}

function watch(entry) {
  const isOther = watched?.name !== entry.name;
  setWatched({ ...entry, unit: unitName(entry.offset, state.network.lstmSize) });
  [byId("left").textContent, byId("right").textContent] =
    entry.correlation < 0 ? [...entry.ends].reverse() : entry.ends;
  for (const button of byId("tracked").querySelectorAll("button")) {
    button.ariaPressed = button.value === entry.name;
  }
  if (isOther) {
    colourPassage("unit");
    holdAt(free);
  }
}

/** Colour the passage by how surprising each letter is, or by the number that is watched. */
function colourPassage(colour) {
  document.querySelector(`[value=${colour}]`).checked = true;
  papers.passage.colour = colour;
  papers.passage.recolour();
}

/** Hold the unit that is watched at a value, or none, and have the network write. */
function holdAt(held) {
  state.held = held;
  byId("release").hidden = !held.unit;
  byId("hold").value = held.unit ? byId("hold").value : 0;
  byId("hold-said").textContent = held.unit
    ? `Held at ${signed(held.value)} while it writes. Compare the two ends.`
    : "Drag the handle, and the number is held while the network writes.";
  showHeld();
}

function showHeld() {
  byId("handle").hidden = !watched;
  if (watched) {
    draft("held", state.held, (text) => papers.held.show(onPaper(text)));
  }
}

/** Draw the curves. The best step is marked when what is held out is clearly worse since. */
function drawCurves() {
  const { looks, best, network, moment } = state;
  const isOver = looks.at(-1).held > best.held + WORSE;
  showCurves(
    looks,
    { blind: Math.log2(chars.length), pairs: network.bigrams },
    isOver ? best : null,
    moment,
  );
}

/** Say what can be saved. */
function showKept() {
  const { network, best, looks, source } = state;
  const isEarlier = Boolean(network && best) && best !== looks.at(-1);
  byId("save").disabled = byId("picture").disabled = byId("time").disabled = !(network && best);
  byId("newest").parentElement.hidden = !isEarlier;
  byId("kept").textContent = isEarlier
    ? `What is saved is its best step, ${grouped(best.updates)}.`
    : "";
  for (const name of document.querySelectorAll(".file-name")) {
    name.textContent = fileName(source);
  }
}

/** Return the name of a text as that of a file without its ending. */
function fileName({ name }) {
  return (
    name
      .replace(/\.\w+$/, "")
      .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "") || "learned"
  );
}

function save() {
  ask("save", { isBest: !byId("newest").checked }, ({ bytes, refused }) => {
    if (refused) {
      byId("saved").textContent = refused;
    } else {
      state.saved = state.updates;
      download(new Blob([bytes]), "npz");
    }
  });
}

/** Give the browser a file to save, which has the name of the text. */
function download(blob, ending) {
  const name = `${fileName(state.source)}.${ending}`;
  Object.assign(make("a"), { href: URL.createObjectURL(blob), download: name }).click();
  byId("saved").textContent =
    `The browser was given ${name}, ${grouped(blob.size / 1000)} kB, to save.`;
}

/** Save a picture of what was written at four steps, which are about as far from each other on a logarithmic scale. */
function savePicture() {
  const { looks, source } = state;
  const last = looks.at(-1).updates;
  const shown = [0, last ** 0.5, last ** 0.75, last].map((step) =>
    looks.find(({ updates }) => updates >= step),
  );
  const columns = [...new Set(shown)].map(({ updates, held, text }) => ({
    head: `After ${counted(updates, "step")}, loss ${held.toFixed(2)} bits`,
    sheet: make("div", "block", ...spelled(text.split("\n").slice(0, 12).join("\n"))),
  }));
  const [canvas] = drawPictures(
    laidOut(
      `A network learns to write: ${source.name}`,
      columns,
      "Learned in a browser, by charrnn",
    ),
  );
  canvas.toBlob((blob) => download(blob, "png"));
}

/** Take a text or a network from a file. */
async function takeFile(file) {
  if (/\.npz$/i.test(file.name)) {
    takeNetwork(file.name, await file.arrayBuffer());
  } else {
    try {
      takeText(
        new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()),
        file.name,
      );
    } catch {
      showNote(
        "note",
        `${file.name} cannot be read as UTF-8 text. Perhaps it is UTF-16, or no text at all.`,
      );
    }
  }
}

function takeNetwork(name, bytes) {
  ask("unpack", { bytes }, ({ refused, sizes }) => {
    if (refused) {
      showNote("note", `${name}: ${refused}`);
    } else if (mayLose()) {
      showSizes(sizes);
      choose(state.source, { name, sizes });
      useRate(GENTLE);
    }
  });
}

/** Take a text of the reader's own. */
function takeText(text, name = "your text") {
  if (mayLose()) {
    Object.assign(own, { name, text });
    choose(own);
  } else {
    byId("text").value = state.inField;
  }
}

/** Take what was typed or pasted. Some phones tell of it late, so that it is looked for at Start as well. */
function takeField() {
  if (byId("text").value !== state.inField) {
    takeText(byId("text").value);
  }
}

/** Have the next network have the sizes of the fields. It knows nothing. */
function useSizes() {
  if (!mayLose()) {
    showSizes(state.sizes);
    return;
  }
  if (state.file) {
    useRate(USUAL);
  }
  choose(state.source, null);
}

function useRate(exponent) {
  byId("rate").value = exponent;
  useFields();
}

/** Use the fields of what can change while it learns. */
function useFields() {
  const [rate, temperature] = [10 ** byId("rate").value, Number(byId("temperature").value)];
  byId("rate-value").textContent = rate.toPrecision(2);
  byId("temperature-value").textContent = temperature.toFixed(2);
  ask("pace", { rate });
}

/** Put the settings into the address, and copy it where that is allowed. */
function showLink() {
  const query = new URLSearchParams([
    ...FIELDS.map(([name]) => [name, byId(name).value]),
    ["seed", state.seed],
  ]);
  if (state.source !== own) {
    query.set("text", state.source.label);
  }
  history.replaceState(null, "", `#${query}`);
  const told = `has the settings now${state.source === own ? ", without the text" : ""}: send it.`;
  copy(
    location.href,
    `The address of this page is copied. It ${told}`,
    "saved",
    `The address of this page ${told}`,
  );
}

function startButtons() {
  const actions = {
    save,
    picture: savePicture,
    link: showLink,
    release: () => holdAt(free),
    start() {
      takeField();
      if (state.isRunning) {
        pause();
        look();
      } else {
        learn();
      }
    },
    again() {
      if (mayLose()) {
        choose(state.source);
        state.seed++;
        learn();
      }
    },
  };
  Object.entries(actions).forEach(([id, action]) => {
    onClick(id, action);
  });
}

function startFields() {
  const actions = {
    time: ({ value }) => showStep(Number(value)),
    text: takeField,
    file: ({ files: [file] }) => takeFile(file),
    colours: ({ value }) => colourPassage(value),
    hold: ({ value }) => holdAt({ unit: watched.unit, value: valueAt(Number(value)) }),
  };
  for (const [id, action] of Object.entries(actions)) {
    byId(id).addEventListener("input", ({ target }) => action(target));
  }
  moveByKeys(
    byId("time"),
    { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 },
    () => state.looks.indexOf(state.moment),
    () => state.looks.length - 1,
    (place) => showMoment(state.looks[place]),
  );
  for (const id of ["layers", "units"]) {
    byId(id).addEventListener("change", useSizes);
  }
  byId("temperature").addEventListener(
    "change",
    () => state.network && state.best && write(state.looks.at(-1)),
  );
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    const {
      files: [file],
    } = event.dataTransfer;
    if (file) {
      event.preventDefault();
      takeFile(file);
    }
  });
  addEventListener("beforeunload", (event) => isLearned() && event.preventDefault());
}

function start() {
  const query = new URLSearchParams(location.hash.slice(1));
  startWorker();
  byId("texts").append(
    ...sources.map((source) =>
      Object.assign(
        makeButton("chip", () => mayLose() && choose(source), source.label),
        { value: source.label },
      ),
    ),
  );
  state.seed = Number(/^\d{1,9}$/.exec(query.get("seed")) ?? 1);
  for (const [name, first] of FIELDS) {
    byId(name).value = query.get(name) ?? first;
    byId(name).value ||= first; // a choice that there is not
    byId(name).addEventListener("input", useFields);
  }
  choose(sources.find(({ label }) => label === query.get("text")) || sources[0]);
  useFields();
  startButtons();
  startFields();
}

byId("failure").hidden = true;
try {
  start();
} catch (error) {
  fail(error.message);
}
