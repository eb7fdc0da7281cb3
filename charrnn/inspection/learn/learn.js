/* The page on which a network learns: the worker learns, this shows how. */
"use strict";
const [LOOK, WRITTEN, PIECE, ROWS, MOST_POINTS, MOST_SAMPLES, MOST_SHOWN] = [1200, 220, 250, 5, 300, 40, 100000];
const UNTIL_WORDS = { 64: 900, 128: 500, 256: 300 }; // updates, about
const { texts, fields } = JSON.parse(find("data").textContent); // fields: [name in a link and id, usual value]
const data = {}; // for papers, whose lines are never broken for the layout
const state = { source: null, file: null, network: null, isRunning: false, isLooking: false, seed: 1, points: [], samples: 0, began: {} };
let chars = [];
let papers = {};

function say(text) {
  find("said").textContent = text;
}

const rate = () => 10 ** Number(find("rate").value);
const perSecond = (speed) => `${grouped(speed)} characters a second`;

/** Take another text, or a file of a network; it is learned when Start is pressed. */
function choose(name, text, file = null) {
  Object.assign(state, { source: { name, text }, file, network: null });
  stop();
  for (const button of find("texts").children) {
    button.setAttribute("aria-pressed", button.value === name);
  }
  const isShown = text.length <= MOST_SHOWN;
  Object.assign(find("text"), { value: isShown ? text : "", placeholder: `${name}: ${counted(text.length, "character")}` });
  say(file ? `Press Start, and the network of ${file.name} goes on with this text. Adam begins anew.` : "");
  showNote("note", "");
  showLink();
}

/** Begin with a new network, or with that of a file, and then do something. */
function begin(then) {
  const { source: { text }, file, seed } = state;
  const sizes = { numLayers: Number(find("layers").value), lstmSize: Number(find("units").value) };
  Object.assign(state, { network: null, isBeginning: true, isLooking: false, points: [], heldOut: [], began: {}, chance: {}, entry: null });
  find("samples").replaceChildren();
  say("The network is made.");
  const kernels = ["fused", "kernel"].map((id) => find(id).textContent);
  ask("begin", { text, sizes, seed, file: file?.bytes, kernels }, ({ refused, untrained, passage, ...network }) => {
    if (refused) {
      state.isBeginning = false;
      stop();
      say("");
      showNote("note", refused);
    } else if (untrained) {
      chars = network.chars;
      const comparison = compare(passage, untrained.activations);
      state.chance = Object.fromEntries(comparison.best().map(({ name, correlation }) => [name, Math.abs(correlation)]));
    } else {
      Object.assign(state, { network: { ...network, passage }, isBeginning: false });
      showNote("note", network.note);
      find("engine-used").textContent = network.isFast ? "WebAssembly with SIMD"
        : "plain JavaScript, because WebAssembly with SIMD is missing or forbidden here: it is some twenty times slower";
      find("save").disabled = false;
      showPassage();
      look();
      then();
    }
  });
}

function compare(passage, activations) {
  const units = activations.length / passage.length;
  const comparison = new Comparison(passage.map((id) => chars[id]), units);
  passage.forEach((_, place) => {
    comparison.add(place, activations.subarray(units * place, units * (place + 1)));
  });
  return comparison;
}

function learn(once = false) {
  if (state.isBeginning) {
    return;
  }
  if (!state.network) {
    begin(() => learn(once));
    return;
  }
  setRunning(!once);
  ask("learn", { once }, ({ diverged, ...report }) => {
    if (diverged !== undefined) {
      stop();
      showNote("note", `It diverged: at this rate each step leads further away. It is back at step ${diverged}; choose a smaller rate.`);
      look();
      return;
    }
    state.points.push(report);
    thin(state.points);
    showReport(report);
    if (once || performance.now() > (state.nextLook || 0)) {
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
  find("start").textContent = isRunning ? "Pause" : state.network ? "Go on" : "Start";
}

/** Keep every second of many points. */
function thin(points) {
  if (points.length > MOST_POINTS) {
    points.splice(0, points.length, ...points.filter((_, index) => index % 2));
  }
}

function showReport({ updates, epoch, loss, speed, seconds }) {
  const words = UNTIL_WORDS[state.network.sizes.lstmSize] - updates;
  const left = (words * 800) / speed;
  const until = words > 0 && seconds > 1 && speed > 1 ? ` About ${Math.ceil(left / 5) * 5} s until it writes words.` : "";
  say(`Step ${grouped(updates)}, epoch ${epoch < 10 ? epoch.toFixed(1) : grouped(epoch)}, loss ${loss.toFixed(2)}, ${perSecond(speed)}.${until}`);
  drawCurve();
}

/** Look at what the network makes of the end of the text, and have it write. */
function look() {
  if (state.isLooking) {
    return;
  }
  const { passage, heldFrom } = state.network;
  const units = 2 * state.network.sizes.lstmSize * state.network.sizes.numLayers;
  const comparison = new Comparison(passage.map((id) => chars[id]), units);
  const seen = { surprises: [], guesses: [], activations: new Int8Array(units * passage.length) };
  const started = performance.now();
  const updates = state.points.at(-1)?.updates || 0;
  const seconds = state.points.at(-1)?.seconds || 0;
  state.isLooking = true;
  const pieces = Array.from({ length: Math.ceil(passage.length / PIECE) }, (_, index) => passage.slice(index * PIECE, (index + 1) * PIECE));
  ask("look", { key: "passage", pieces }, ({ surprises, guesses, activations }) => {
    const from = seen.surprises.length;
    seen.activations.set(activations, units * from);
    for (let index = 0; index < surprises.length; index++) {
      comparison.add(from + index, activations.subarray(units * index, units * (index + 1)));
    }
    seen.surprises.push(...surprises);
    seen.guesses.push(...guesses);
    if (seen.surprises.length === passage.length) {
      const unseen = seen.surprises.slice(Math.max(1, heldFrom));
      const loss = (Math.LN2 * unseen.reduce((sum, each) => sum + each, 0)) / unseen.length;
      state.heldOut.push({ updates, loss });
      thin(state.heldOut);
      Object.assign(state, { seen, isLooking: false, nextLook: performance.now() + Math.max(LOOK, 4 * (performance.now() - started)) });
      showTracked(comparison, updates, seconds);
      papers.passage.recolour();
      drawCurve();
      write();
    }
  });
}

function showPassage() {
  const { passage, heldFrom } = state.network;
  state.seen = null;
  papers.passage.show({ ids: passage, start: 0, recordAt: (place) => state.seen && {
    surprise: state.seen.surprises[place],
    activations: state.seen.activations.subarray(place * state.seen.activations.length / passage.length),
    guesses: Array.from({ length: place ? Math.min(ROWS, chars.length) : 0 }, (_, row) => {
      const at = 2 * (Math.min(ROWS, chars.length) * (place - 1) + row);
      return { id: state.seen.guesses[at], share: state.seen.guesses[at + 1] };
    }) } });
  for (const cell of papers.passage.cells.slice(0, heldFrom)) {
    cell.classList.add("practised");
  }
}

/** Have the network write with a unit held, or without, and show it when it is done. */
function draft(kind, seed, held, show) {
  const first = chars.includes("\n") ? chars.indexOf("\n") : state.network.passage[0];
  const plan = [{ at: 0, temperature: Number(find("temperature").value), topN: chars.length, topP: 1, ...held }];
  const seen = [];
  ask("change", { settings: null, speed: Infinity, length: WRITTEN });
  ask(kind, { take: `${kind} ${state.samples++}`, ids: [first], start: 1, seed, plan, burst: Infinity }, ({ seen: more = [], drawn }) => {
    seen.push(...more);
    if (drawn !== undefined) {
      show([first, ...seen.map(({ id }) => id)], seen);
    }
  });
}

function write() {
  const { updates = 0, loss } = state.points.at(-1) || {};
  draft("sample", state.samples, { unit: null, value: null }, (ids) => {
    const text = visible(textOf(ids.slice(1)));
    const said = `Step ${grouped(updates)}${loss ? `, loss ${loss.toFixed(2)}` : ", before the first one"}`;
    find("samples").prepend(make("li", "", make("p", "small", said), text));
    find("samples").children[MOST_SAMPLES]?.remove();
    showHeld();
  });
}

/** Show what is tracked, and since when. */
function showTracked(comparison, updates, seconds) {
  const found = comparison.best().filter(({ name, correlation }) => (
    Math.abs(correlation) >= Math.max(LEAST_CORRELATION, (state.chance[name] || 0) + LEAST_ABOVE)));
  for (const { name } of found) {
    state.began[name] ??= { updates, seconds };
  }
  for (const name of Object.keys(state.began)) {
    if (!found.some((each) => each.name === name)) {
      delete state.began[name];
    }
  }
  find("tracked").replaceChildren(...found.map((entry) => {
    const { updates: step, seconds: time } = state.began[entry.name];
    const button = makeButton("chip", () => lookAt(entry), make("b", "", entry.name), `: since step ${grouped(step)} (${
      grouped(time)} s), ${unitTitle(unitName(entry.offset))}, correlation ${signed(entry.correlation)}`);
    button.setAttribute("aria-pressed", entry.name === focus?.name);
    return make("li", "", button);
  }));
  if (!found.length) {
    find("tracked").append(make("li", "small", "Nothing yet that a network without training does not follow as well."));
  }
  const now = found.find(({ name }) => name === focus?.name);
  if (now && !state.held) {
    lookAt(now);
  }
}

function unitName(offset) {
  const { lstmSize } = state.network.sizes;
  const part = Math.floor(offset / lstmSize);
  return `${1 + Math.floor(part / 2)}/${part % 2 ? "h" : "c"}/${1 + (offset % lstmSize)}`;
}

function lookAt(entry) {
  const isOther = focus?.name !== entry.name;
  [find("left").textContent, find("right").textContent] = entry.correlation < 0 ? [...entry.ends].reverse() : entry.ends;
  find("handle").hidden = false;
  setFocus({ ...entry, unit: unitName(entry.offset) });
  if (isOther) {
    hold(null);
    document.querySelector("[value=unit]").click();
  }
}

/** Hold the unit at a value, or let it go. */
function hold(value) {
  state.held = value === null ? null : { unit: focus.unit, value };
  find("release").hidden = value === null;
  find("hold-said").textContent = value === null ? "Drag the handle, and the number is held while the network writes."
    : `Held at ${signed(value)} while it writes. Compare the two ends.`;
  showHeld();
}

function showHeld() {
  if (focus && state.network) {
    draft("hold", state.seed, state.held || { unit: null, value: null }, (ids, seen) => {
      papers.held.show({ ids, start: 1, recordAt: (place) => seen[place - 1] });
    });
  }
}

/** Draw the loss, large: that of the text that is learned, and that of the end of the text, which is not. */
function drawCurve() {
  const canvas = find("curve");
  const style = getComputedStyle(document.documentElement);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((length) => length * devicePixelRatio);
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  const { points, heldOut = [], network } = state;
  if (!network) {
    return;
  }
  const all = [...points, ...heldOut].map(({ loss }) => loss);
  const [blind, pairs] = [Math.log(chars.length), network.bigrams];
  const top = Math.max(blind, Math.min(2 * blind, Math.max(0, ...all))) + 0.3;
  const bottom = Math.max(0, Math.min(pairs, ...all) - 0.2);
  const last = Math.max(20, points.at(-1)?.updates || 0);
  const [right, base] = [canvas.clientWidth - 8, canvas.clientHeight - 22];
  const x = (updates) => 36 + ((right - 36) * updates) / last;
  const y = (loss) => 8 + ((base - 8) * (top - loss)) / (top - bottom);
  const colour = (name) => style.getPropertyValue(name);
  Object.assign(context, { font: `13px ${style.getPropertyValue("--sans")}`, lineJoin: "round" });
  const line = (places, stroke, lineWidth, dash = []) => {
    Object.assign(context, { strokeStyle: stroke, lineWidth });
    context.setLineDash(dash);
    context.beginPath();
    for (const [left, down] of places) {
      context.lineTo(left, down);
    }
    context.stroke();
  };
  const write = (text, left, down, align = "left", fill = colour("--faint")) => {
    Object.assign(context, { fillStyle: fill, textAlign: align });
    context.fillText(text, left, down);
  };
  for (let loss = Math.ceil(2 * bottom) / 2; loss < top; loss += 0.5) {
    line([[36, y(loss)], [right, y(loss)]], colour("--line"), 1);
    write(loss.toFixed(1), 30, y(loss) + 4, "right");
  }
  for (const [loss, text] of [[blind, "guessing blindly"], [pairs, "looking at the last letter only"]]) {
    line([[36, y(loss)], [right, y(loss)]], colour("--ink"), 1, [5, 4]);
    write(text, right, y(loss) - 5, "right", colour("--ink"));
  }
  write("steps", 36, base + 18);
  write(grouped(last), right, base + 18, "right");
  const orange = matchMedia("(prefers-color-scheme: dark)").matches ? "#f0a860" : "#b05a00";
  line(points.map(({ updates, loss }) => [x(updates), y(loss)]), colour("--accent"), 1.5);
  line(heldOut.map(({ updates, loss }) => [x(updates), y(loss)]), orange, 3);
  write("● text that it reads", 44, base - 24, "left", colour("--accent"));
  write("● text that it has never seen", 44, base - 7, "left", orange);
  const shown = [points, heldOut].map((each) => each.at(-1)?.loss.toFixed(2) ?? "not known");
  canvas.setAttribute("aria-label", `Loss at step ${last}: ${shown[0]} on the text that it reads, ${shown[1]} on text that it has never seen; ${
    blind.toFixed(2)} for guessing blindly, ${pairs.toFixed(2)} for looking at the last letter only`);
}

async function save() {
  ask("save", {}, ({ bytes, refused }) => {
    if (refused) {
      find("saved").textContent = refused;
      return;
    }
    const link = Object.assign(make("a"), { href: URL.createObjectURL(new Blob([bytes])), download: "learned.npz" });
    link.click();
    find("saved").textContent = `The browser was given learned.npz, ${grouped(bytes.byteLength / 1000)} kB.`;
  });
}

/** Take a text or a network from a file. */
async function open(file) {
  if (!file) {
    return;
  }
  if (file.name.endsWith(".npz")) {
    choose(state.source.name, state.source.text, { name: file.name, bytes: await file.arrayBuffer() });
  } else if (file.size > 4 * 2e6) {
    showNote("note", `${file.name} is too large: a text has at most 2,000,000 characters.`);
  } else {
    choose(file.name, await file.text());
  }
}

function showLink() {
  const query = new URLSearchParams(fields.map(([name]) => [name, find(name).value]));
  query.set("seed", state.seed);
  if (texts[state.source.name]) {
    query.set("text", state.source.name);
  }
  find("rate-value").textContent = rate().toPrecision(2);
  find("temperature-value").textContent = Number(find("temperature").value).toFixed(2);
  ask("pace", { rate: rate() });
  return `#${query}`;
}

function start() {
  const query = new URLSearchParams(location.hash.slice(1));
  for (const [name, usual] of fields) {
    find(name).value = query.get(name) ?? usual;
    find(name).value ||= usual;
    find(name).addEventListener("input", showLink);
  }
  state.seed = Math.min(2 ** 32 - 1, Math.abs(Math.round(Number(query.get("seed") ?? 1)))) || 1;
  papers = { passage: new Paper("passage", "surprise"), held: new Paper("held", "unit") };
  startWorker("words", "decoding", "engine", "worker", "npz", "plain", "trainer", "corpus", "learner");
  for (const [name, text] of Object.entries(texts)) {
    find("texts").append(Object.assign(makeButton("chip", () => choose(name, text), name), { value: name }));
  }
  choose(...Object.entries(texts).find(([name]) => name === query.get("text")) || Object.entries(texts)[0]);
  onClick("start", () => (state.isRunning ? stop() : learn()));
  onClick("once", () => learn(true));
  onClick("again", () => {
    stop();
    Object.assign(state, { network: null, file: null, seed: state.seed + 1 });
    learn();
  });
  onClick("save", save);
  onClick("link", () => {
    history.replaceState(null, "", showLink());
    find("saved").textContent = `The address of the page has the settings now: ${showLink()}`;
  });
  onClick("release", () => hold(null));
  for (const id of ["layers", "units"]) {
    find(id).addEventListener("change", () => choose(state.source.name, state.source.text));
  }
  find("hold").addEventListener("input", ({ target }) => hold(valueAt(Number(target.value))));
  find("text").addEventListener("change", ({ target }) => choose("your text", target.value));
  find("file").addEventListener("change", ({ target }) => open(target.files[0]));
  for (const radio of document.querySelectorAll("[name=colour]")) {
    radio.addEventListener("change", () => {
      papers.passage.colour = radio.value;
      papers.passage.recolour();
    });
  }
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      open(event.dataTransfer.files[0]);
    });
  }
  addEventListener("resize", drawCurve);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCurve);
  find("failure").hidden = true;
  document.querySelector("main").hidden = false;
}

addEventListener("error", ({ message }) => fail(message));
start();
