/* The view Write: the network continues a beginning. */
"use strict";

const EXPECTED = 8; // characters shown of what it expects next
const FOLLOWED = 40; // pixels from the end within which the view follows the text

// what was written last; `job` is the one that is under way, or 0
const written = { text: "", job: 0, expecting: 0, logits: null };

function settings() {
  return {
    temperature: Number(find("temperature").value),
    topN: Number(find("top-n").value),
    topP: Number(find("top-p").value),
    speed: Number(find("speed").value) || Infinity, // characters a second
  };
}

/** Return the whole number in a field, brought into its range. */
function numberIn(field) {
  const value = Math.min(Math.max(Math.round(Number(field.value) || 0), Number(field.min)), Number(field.max));
  field.value = value;
  return value;
}

function showSettings() {
  const { temperature, topN, topP } = settings();
  find("temperature-value").textContent = temperature.toFixed(2);
  find("top-n-value").textContent = topN >= chars.length ? "all" : topN;
  find("top-p-value").textContent = topP >= 1 ? "all" : percent(topP);
  showExpected();
}

/** Show the characters that the network expects next, and what the settings leave of them. */
function showExpected() {
  const { logits } = written;
  if (logits) {
    const own = normalized(powersOf(logits));
    const kept = normalized(keptPowers(logits, settings()));
    showBars(find("expected"), largestIds(own, EXPECTED).map((id) => (
      { id, share: kept[id], outline: own[id] })), EXPECTED);
  }
}

/** Encode the beginning, and say what of it the network does not know. Return null where nothing is left of it. */
function encodedPrime() {
  const { ids, note } = encode(find("prime").value, places, data.nearest);
  showNote("prime-unknown", ids.length ? note : "Type at least one character that the network knows.");
  return ids.length ? ids : null;
}

function expectAfterPrime() {
  const ids = !written.job && encodedPrime();
  if (ids) {
    written.expecting = ask("expect", { ids }, { expected: ({ logits }) => {
      written.logits = logits;
      showExpected();
    } });
  }
}

function startWriting() {
  const ids = encodedPrime();
  if (!ids) {
    find("prime").focus();
    return;
  }
  written.text = ids.map((id) => chars[id]).join("");
  find("written").replaceChildren(make("span", "prime", visible(written.text)));
  follow("write", { ids, seed: numberIn(find("seed")) });
}

/** Have the worker write, and show what it writes. */
function follow(type, message) {
  jobs.delete(written.job); // what others still send is not wanted
  jobs.delete(written.expecting);
  const length = numberIn(find("length"));
  written.job = ask(type, { ...message, length, settings: settings() }, {
    written: addWritten,
    done: ({ drawn, seconds }) => {
      const rate = seconds > 0 ? `, ${grouped(drawn / seconds)} a second` : "";
      find("write-status").textContent =
        `${drawn === length ? "Wrote" : "Stopped after"} ${counted(drawn, "character")}${rate}.`;
      written.job = 0;
      showButtons();
    },
  });
  find("write-status").textContent = "Writing.";
  showButtons();
}

function addWritten({ ids, logits }) {
  const text = ids.map((id) => chars[id]).join("");
  const paper = find("written");
  const atEnd = paper.scrollHeight - paper.scrollTop - paper.clientHeight < FOLLOWED;
  paper.append(visible(text));
  if (atEnd) {
    paper.scrollTop = paper.scrollHeight;
  }
  written.text += text;
  written.logits = logits;
  showExpected();
}

function stopWriting() {
  worker.postMessage({ type: "stop" });
}

function showButtons() {
  find("stop").disabled = !written.job;
  find("more").disabled = Boolean(written.job) || !written.text;
  find("copy").disabled = !written.text;
  find("look").disabled = !written.text;
}

async function copyWritten() {
  try {
    await navigator.clipboard.writeText(written.text);
  } catch { // a page from disk or in a frame may not: the old way
    const field = make("textarea", "unseen", written.text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  find("write-status").textContent = "Copied.";
}

function startWrite() {
  const { temperature, top_n: topN, top_p: topP } = data.settings;
  find("prime").value = data.prime;
  find("temperature").value = temperature;
  find("top-n").max = chars.length;
  find("top-n").value = topN;
  find("top-p").value = topP;
  find("seed").value = 1;
  for (const id of ["temperature", "top-n", "top-p", "speed"]) {
    find(id).addEventListener("input", () => {
      showSettings();
      worker.postMessage({ type: "change", settings: settings() });
    });
  }
  find("prime").addEventListener("input", expectAfterPrime);
  find("prime").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      startWriting();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      stopWriting();
    }
  });
  find("start").addEventListener("click", startWriting);
  find("stop").addEventListener("click", stopWriting);
  find("more").addEventListener("click", () => follow("more"));
  find("copy").addEventListener("click", copyWritten);
  find("look").addEventListener("click", () => {
    readText(written.text);
    chooseColour("surprise");
    show("read");
  });
  showButtons();
  showSettings();
}
