/* The view Write: the network continues a beginning. */
"use strict";

const EXPECTED = 8; // characters shown of what it expects next
const FOLLOWED = 40; // pixels from the end within which the view follows the text

// what was written last: its pieces come one for each time that the worker was asked to write
const written = { prime: "", pieces: [], job: 0, logits: null };

function writtenText() {
  return written.prime + written.pieces.join("");
}

function settings() {
  return {
    temperature: Number(find("temperature").value),
    topN: Number(find("top-n").value),
    topP: Number(find("top-p").value),
  };
}

/** Return characters a second; no limit for full speed. */
function speed() {
  return Number(find("speed").value) || Infinity;
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
  find("write-status").textContent = ids.length ? note : "Type at least one character that the network knows.";
  return ids.length ? ids : null;
}

function expectAfterPrime() {
  const ids = !written.job && encodedPrime();
  if (ids) {
    ask("expect", { ids }, { expected: ({ logits }) => {
      if (!written.job) {
        written.logits = logits;
        showExpected();
      }
    } });
  }
}

const expectSoon = debounced(expectAfterPrime, 150);

function startWriting() {
  expectSoon.cancel();
  const ids = encodedPrime();
  if (!ids) {
    find("prime").focus();
    return;
  }
  stopWriting();
  written.prime = ids.map((id) => chars[id]).join("");
  written.pieces = [];
  find("written").replaceChildren(make("span", "prime", visible(written.prime)));
  follow("write", { ids, seed: numberIn(find("seed")) });
}

function continueWriting() {
  stopWriting();
  follow("more", {});
}

/** Have the worker write, and show what it writes. */
function follow(type, message) {
  const paper = find("written");
  const piece = make("span", "");
  const { pieces } = written;
  const index = pieces.push("") - 1;
  paper.querySelector(".caret")?.remove();
  paper.append(piece, make("span", "caret"));
  const length = numberIn(find("length"));
  const job = ask(type, { ...message, length, settings: settings(), speed: speed() }, {
    written: ({ ids, logits }) => {
      const text = ids.map((id) => chars[id]).join("");
      const atEnd = paper.scrollHeight - paper.scrollTop - paper.clientHeight < FOLLOWED;
      pieces[index] += text;
      piece.append(visible(text));
      if (atEnd) {
        paper.scrollTop = paper.scrollHeight;
      }
      if (written.job === job) {
        written.logits = logits;
        showExpected();
      }
    },
    done: ({ finished, drawn, seconds }) => {
      if (written.job === job || !written.job) { // no other writing has begun
        const rate = seconds > 0 ? `, ${grouped(drawn / seconds)} a second` : "";
        find("write-status").textContent = `${finished ? "Wrote" : "Stopped after"} ${counted(drawn, "character")}${rate}.`;
        written.job = 0;
        showButtons();
      }
    },
  });
  written.job = job;
  find("write-status").textContent = "Writing.";
  showButtons();
}

/** Return a text with symbols for what cannot be seen, but spaces, tabs and line ends as they are. */
function visible(text) {
  return Array.from(text, (char) => (" \n\t".includes(char) ? char : glyph(char))).join("");
}

function stopWriting() {
  if (written.job) {
    worker.postMessage({ type: "stop", kind: "write" });
    written.job = 0;
    showButtons();
  }
}

function showButtons() {
  find("stop").disabled = !written.job;
  find("more").disabled = Boolean(written.job) || !written.pieces.length;
  find("copy").disabled = !written.pieces.length;
  find("look").disabled = !written.pieces.length;
}

async function copyWritten() {
  const text = writtenText();
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from disk or in a frame may not: the old way
    const field = make("textarea", "aside", text);
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
      worker.postMessage({ type: "change", settings: settings(), speed: speed() });
    });
  }
  find("prime").addEventListener("input", expectSoon);
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
  find("more").addEventListener("click", continueWriting);
  find("copy").addEventListener("click", copyWritten);
  find("look").addEventListener("click", () => {
    readText(writtenText());
    chooseColour("surprise");
    show("read");
  });
  showButtons();
  showSettings();
}
