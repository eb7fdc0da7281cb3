/* The page on which a network learns. The worker learns; this asks it, and shows what it answers. */
import { Paper } from "../page/paper.js";
import { ask, byId, fail, make, makeButton, onClick, showNote, startWorker } from "../page/view.js";
import { counted, grouped, signed, unitName, unitTitle, visible } from "../page/text.js";
import { chars, recordsOf, setCharacters, setWatched, textOf, valueAt, watched } from "../page/shown.js";

const find = byId;
const [LOOK, WRITTEN, MOST_POINTS, MOST_SAMPLES, MOST_SHOWN] = [1200, 220, 300, 40, 100000];
const [LEAST_CORRELATION, LEAST_ABOVE] = [0.3, 0.2]; // as in charrnn/inspection/units.py
const LINE = 26; // pixels for a label of the curve
const UNTIL_WORDS = { 64: 500, 128: 300, 256: 200 }; // steps, about, if it is not better than the bigrams before
const { texts, fields } = JSON.parse(find("data").textContent); // fields: [name in a link, which is an id, first value]
const free = { unit: null, value: null };
// source: what is learned, {name, text}; file: the .npz that goes on; network: what the worker has said of it, or null
const state = { drafts: 0 };
let papers = {};

/** Take a text, and perhaps a network that goes on with it. They are used when Start is pressed. */
function choose(name, text, file = null) {
  Object.assign(state, { source: { name, text }, file, network: null, isBeginning: false });
  stop();
  setWatched(null);
  document.querySelector("[value=surprise]").click();
  hold(free);
  for (const button of find("texts").children) {
    button.ariaPressed = button.value === name;
  }
  Object.assign(find("text"), { value: text.length > MOST_SHOWN ? "" : text,
    placeholder: `${name}: ${counted(text.length, "character")}` });
  find("said").textContent = file ? `Press Start: the network of ${file.name} goes on with this text, and Adam begins anew.` : "";
  find("text-note").textContent = texts[name] ? "" : `Now: ${name}.`;
  find("tracked").replaceChildren();
  showNote("note", "");
}

function begin() {
  const { source: { name, text }, file, seed } = state;
  const [numLayers, lstmSize] = ["layers", "units"].map((id) => Number(find(id).value));
  const kernels = ["fused", "kernel"].map((id) => find(id).textContent);
  Object.assign(state, { isBeginning: true, points: [], heldOut: [], began: {}, seen: [] });
  find("samples").replaceChildren();
  find("said").textContent = "The network is made.";
  ask("begin", { text, sizes: { numLayers, lstmSize }, seed, file: file?.bytes, kernels }, ({ refused, ...network }) => {
    if (!state.isBeginning) {
      return; // another text was chosen meanwhile
    }
    if (refused) {
      choose(name, text);
      showNote("note", refused);
      return;
    }
    Object.assign(state, { network, isBeginning: false });
    setCharacters(network.chars);
    find("text-note").textContent += ` ${network.note}`;
    find("save").disabled = false;
    find("engine-used").textContent = network.isFast ? "WebAssembly with SIMD"
      : "plain JavaScript, because WebAssembly with SIMD is missing or forbidden here: it is some twenty times slower";
    papers.passage.show({ ids: network.passage, start: network.heldFrom, recordAt: (place) => state.seen[place],
      inWorker: () => ({ key: "passage" }) });
    look();
    learn(!state.isRunning);
  });
}

/** Learn until it is stopped, or take one step. */
function learn(once = false) {
  setRunning(!once);
  if (!state.network) {
    if (!state.isBeginning) {
      begin();
    }
    return;
  }
  showNote("note", "");
  ask("learn", { once }, ({ diverged, ...report }) => {
    if (!state.network) {
      return;
    }
    if (diverged !== undefined) {
      stop();
      showNote("note", `It diverged: at this rate, each step leads further away. It is back at step ${
        diverged}. Choose a smaller rate.`);
      for (const curve of ["points", "heldOut"]) {
        state[curve] = state[curve].filter(({ updates }) => updates <= diverged);
      }
      look();
      return;
    }
    add(state.points, report);
    showReport(report);
    if (once || performance.now() > state.nextLook) {
      look();
    }
  });
}

function stop() {
  setRunning(false);
  ask("stop", { of: "learn" });
}

function setRunning(isRunning) {
  state.isRunning = isRunning;
  find("said").ariaLive = isRunning ? "off" : "polite"; // nobody wants to hear it four times a second
  find("start").textContent = isRunning ? "Pause" : state.network ? "Go on" : "Start";
}

/** Add a point to a curve. Of many, every second one is kept. */
function add(points, point) {
  points.push(point);
  if (points.length > MOST_POINTS) {
    points.splice(0, points.length, ...points.filter((_, index) => index % 2 === 0));
  }
}

function showReport({ updates, epoch, loss, speed, seconds }) {
  const left = ((UNTIL_WORDS[state.network.lstmSize] - updates) * seconds) / updates;
  const isNoise = left > 0 && loss > state.network.bigrams && seconds > 1 && state.isRunning;
  const until = isNoise ? ` About ${5 * Math.ceil(left / 5)} s until it writes words.` : "";
  find("said").textContent = `Step ${grouped(updates)}, epoch ${epoch < 10 ? epoch.toFixed(1) : grouped(epoch)}, loss ${
    loss.toFixed(2)}, ${grouped(speed)} characters a second.${until}`;
  drawCurve();
}

/** Look at what the network makes of the end of the text, and have it write. */
function look() {
  const { network } = state;
  if (!network) {
    return;
  }
  const [began, { updates, seconds }] = [performance.now(), state.points.at(-1) || { updates: 0, seconds: 0 }];
  state.nextLook = Infinity;
  ask("look", {}, ({ best, ...found }) => {
    if (state.network !== network) {
      return;
    }
    const unseen = found.surprises.slice(Math.max(1, network.heldFrom));
    add(state.heldOut, { updates, loss: (Math.LN2 * unseen.reduce((sum, each) => sum + each, 0)) / unseen.length });
    state.seen = recordsOf(found);
    state.nextLook = performance.now() + Math.max(LOOK, 4 * (performance.now() - began));
    papers.passage.recolour();
    showTracked(best, updates, seconds);
    drawCurve();
    draft("sample", state.drafts, free, ({ ids }) => {
      const loss = state.points.at(-1)?.loss;
      const when = `Step ${grouped(updates)}${loss ? `, loss ${loss.toFixed(2)}` : ""}`;
      find("samples").prepend(make("li", "", make("p", "small", when), visible(textOf(ids.slice(1)))));
      find("samples").children[MOST_SAMPLES]?.remove();
      showHeld();
    });
  });
}

/** Have the network write, with a unit held or none, and show it when it is done. */
function draft(kind, seed, held, show) {
  const first = Math.max(chars.indexOf("\n"), 0);
  const plan = [{ at: 0, temperature: Number(find("temperature").value), topN: chars.length, topP: 1, ...held }];
  const [ids, seen] = [[first], []];
  state.drafts++;
  ask("change", { of: kind, settings: null, speed: Infinity, length: WRITTEN });
  const text = { take: state.drafts, start: 1, plan };
  ask(kind, { ...text, ids: [first], seed, burst: Infinity }, ({ ids: more = [], drawn, ...found }) => {
    ids.push(...more);
    seen.push(...recordsOf(found));
    if (drawn !== undefined) {
      show({ ids, start: 1, recordAt: (place) => seen[place - 1], inWorker: () => ({ of: kind, ...text }) });
    }
  });
}

/** Show which units track something, more closely than before the training, and since when. */
function showTracked(best, updates, seconds) {
  const found = best.filter(({ correlation }, feature) => Math.abs(correlation)
    >= Math.max(LEAST_CORRELATION, Math.abs(state.network.untrained[feature].correlation) + LEAST_ABOVE));
  state.began = Object.fromEntries(found.map(({ name }) => [name, state.began[name] || { updates, seconds }]));
  const atKeyboard = document.activeElement.closest("#tracked button")?.value;
  const buttons = found.map((entry) => {
    const { name, offset, correlation } = entry;
    const began = state.began[name];
    const said = `: since step ${grouped(began.updates)} (${grouped(began.seconds)} s), ${
      unitTitle(unitName(offset, state.network.lstmSize))}, correlation ${signed(correlation)}`;
    return Object.assign(makeButton("chip", () => lookAt(entry), make("b", "", name), said),
      { value: name, ariaPressed: name === watched?.name });
  });
  find("tracked").replaceChildren(...buttons.map((button) => make("li", "", button)));
  buttons.find(({ value }) => value === atKeyboard)?.focus({ preventScroll: true });
  showNote("nothing", found.length ? "" : "Nothing at the moment that a network without training does not follow as well.");
  const now = found.find(({ name }) => name === watched?.name);
  if (now && !state.held.unit) {
    lookAt(now);
  }
}

function lookAt(entry) {
  const isOther = watched?.name !== entry.name;
  setWatched({ ...entry, unit: unitName(entry.offset, state.network.lstmSize) });
  [find("left").textContent, find("right").textContent] = entry.correlation < 0 ? [...entry.ends].reverse() : entry.ends;
  if (isOther) {
    document.querySelector("[value=unit]").click();
    hold(free);
  }
}

/** Hold a unit at a value, or none. */
function hold(held) {
  state.held = held;
  find("release").hidden = !held.unit;
  find("hold-said").textContent = held.unit ? `Held at ${signed(held.value)} while it writes. Compare the two ends.`
    : "Drag the handle, and the number is held while the network writes.";
  showHeld();
}

function showHeld() {
  find("handle").hidden = !watched;
  if (watched) {
    draft("hold", state.seed, state.held, (text) => papers.held.show(text));
  }
}

/** Draw the loss of the text that is learned, and that of the end of the text, which is not. */
function drawCurve() {
  const { points, heldOut, network } = state;
  if (!network) {
    return;
  }
  const { clientHeight: height } = find("curve");
  const blind = Math.log(chars.length);
  const all = [...points, ...heldOut, { loss: network.bigrams }].map(({ loss }) => loss);
  const [top, bottom] = [1.08 * blind, Math.max(0, Math.min(...all) - 0.35)];
  const updates = Math.max(20, points.at(-1)?.updates || 0);
  const y = (loss) => Math.max(0, (top - loss) / (top - bottom)); // as a share of the height
  const placeOf = (point) => `${(point.updates / updates).toFixed(4)} ${y(point.loss).toFixed(4)}`;
  find("read-line").setAttribute("points", points.map(placeOf).join(" "));
  find("held-line").setAttribute("points", heldOut.map(placeOf).join(" "));
  const labels = [["blind", "guessing blindly", blind], ["pairs", "looking at the last letter only", network.bigrams],
    ["read-now", "text that it reads", points.at(-1)?.loss], ["held-now", "text that it has never seen", heldOut.at(-1)?.loss]]
    .filter(([, , loss]) => loss >= 0).sort((a, b) => b[2] - a[2]);
  let last = -Infinity; // label, which the next one must not cover
  for (const [index, [id, said, loss]] of labels.entries()) { // each above its line, the lowest below
    last = Math.max(height * y(loss) + (index === labels.length - 1 ? 18 : -8), last + LINE);
    find(id).removeAttribute("hidden");
    find(id).setAttribute("y", `${100 * y(loss)}%`);
    find(id).lastChild.setAttribute("y", last - height * y(loss));
    find(id).lastChild.textContent = `${said} ${loss.toFixed(2)}`;
  }
  find("curve").setAttribute("aria-label", `Loss after ${counted(updates, "step")}: ${
    Array.from(find("curve").querySelectorAll("text"), (text) => text.textContent).join(", ")}`);
}

function save() {
  ask("save", {}, ({ bytes, refused }) => {
    find("saved").textContent = refused || `The browser was given learned.npz, ${grouped(bytes.byteLength / 1000)} kB, to save.`;
    if (bytes) {
      Object.assign(make("a"), { href: URL.createObjectURL(new Blob([bytes])), download: "learned.npz" }).click();
    }
  });
}

/** Take a text or a network from a file. */
async function open(file) {
  if (file?.name.endsWith(".npz")) {
    choose(state.source.name, state.source.text, { name: file.name, bytes: await file.arrayBuffer() });
  } else if (file?.size > 8e6) {
    showNote("note", `${file.name} is too large: a text has at most 2,000,000 characters.`);
  } else if (file) {
    const text = await file.arrayBuffer().then((bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes))
      .catch(() => null);
    if (text === null) {
      showNote("note", `${file.name} cannot be read as UTF-8 text.`);
    } else {
      choose(file.name, text);
    }
  }
}

/** Use the fields of what can change while it learns. */
function useFields() {
  const [rate, temperature] = [10 ** find("rate").value, Number(find("temperature").value)];
  find("rate-value").textContent = rate.toPrecision(2);
  find("temperature-value").textContent = temperature.toFixed(2);
  ask("pace", { rate });
}

/** Put the settings into the address. */
function showLink() {
  const query = new URLSearchParams([...fields.map(([name]) => [name, find(name).value]), ["seed", state.seed]]);
  if (texts[state.source.name]) {
    query.set("text", state.source.name);
  }
  history.replaceState(null, "", `#${query}`);
  find("saved").textContent = "The address of this page has the settings now. The text is not in it.";
}

function start() {
  const query = new URLSearchParams(location.hash.slice(1));
  papers = { passage: new Paper("passage", "surprise"), held: new Paper("held", "unit") };
  startWorker();
  const names = Object.keys(texts);
  find("texts").append(...names.map((name) => (
    Object.assign(makeButton("chip", () => choose(name, texts[name]), name), { value: name }))));
  const [named] = [...names.filter((name) => name === query.get("text")), ...names];
  choose(named, texts[named]);
  state.seed = Number(/^\d{1,9}$/.exec(query.get("seed")) ?? 1);
  for (const [name, first] of fields) {
    find(name).value = query.get(name) ?? first;
    find(name).value ||= first; // a choice that there is not
    find(name).addEventListener("input", useFields);
  }
  useFields();
  onClick("start", () => {
    if (state.isRunning) {
      stop();
      look();
    } else {
      learn();
    }
  });
  onClick("once", () => learn(true));
  onClick("again", () => {
    choose(state.source.name, state.source.text);
    state.seed++;
    learn();
  });
  onClick("save", save);
  onClick("link", showLink);
  onClick("release", () => hold(free));
  for (const id of ["layers", "units"]) {
    find(id).addEventListener("change", () => choose(state.source.name, state.source.text));
  }
  find("hold").addEventListener("input", ({ target }) => hold({ unit: watched.unit, value: valueAt(Number(target.value)) }));
  find("text").addEventListener("change", ({ target }) => choose("your text", target.value));
  find("file").addEventListener("change", ({ target }) => open(target.files[0]));
  find("colours").addEventListener("change", ({ target }) => {
    papers.passage.colour = target.value;
    papers.passage.recolour();
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    const dropped = event.dataTransfer.getData("text");
    event.preventDefault();
    open(event.dataTransfer.files[0]);
    if (dropped) {
      choose("your text", dropped);
    }
  });
  addEventListener("error", ({ message }) => fail(message));
  find("failure").hidden = true;
  document.querySelector("main").hidden = false;
}

start();
