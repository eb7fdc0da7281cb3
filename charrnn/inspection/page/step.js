/* The picture of one step in Read: from a character through the layers and one cell to the next character. */
"use strict";

const PARTS = ["input gate", "new value", "forget gate", "output gate", "memory", "output"]; // as Network.cell has them

/** Show a step with the values at the place of the text that the card shows. */
function showStep() {
  const { activations, guesses } = seenAt(reading.at);
  const id = reading.ids[reading.at];
  find("step-character").textContent = glyph(chars[id]);
  find("step-id").textContent = `one-hot: number ${id + 1} of ${chars.length}`;
  drawHeat(find("step-one-hot"), chars.map((_, place) => (place === id ? 127 : 0)));
  find("step-layers").querySelectorAll("canvas").forEach((canvas, part) => {
    drawHeat(canvas, [...activations.subarray(part * lstmSize, (part + 1) * lstmSize)]);
  });
  showBars("step-next", guesses, reading.ids[reading.at + 1]);
  showCell();
}

/** Draw values from -127 to 127 as a strip of colours. */
function drawHeat(canvas, values) {
  const pixelOf = pixelFunction();
  const image = new ImageData(values.length, 1);
  new Uint32Array(image.data.buffer).set(values.map((value) => pixelOf(value / 127)));
  canvas.width = values.length;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Show the gates of the cell whose unit colours the text, its memory before and after, and the sum that makes it. */
function showCell() {
  const { layer, unit } = parseUnit(colour === "surprise" ? data.discoveries[0] || unitNames[0] : colour);
  find("step-cell").textContent = `Cell ${unit} in layer ${layer}`;
  if (reading.at < reading.known) {
    ask("cell", { place: reading.at, layer, unit }, showGates);
  }
}

function showGates({ before, values }) {
  const [input, fresh, forget, output, memory, given] = values.map(signed);
  find("step-gates").replaceChildren(...PARTS.map((part, index) => (
    make("li", "", make("span", "", part), signedTrack(values[index]), make("span", "", signed(values[index]))))));
  find("step-sum").textContent = "memory = forget gate × memory before + input gate × new value = " +
    `${forget} × ${signed(before)} + ${input} × ${fresh} = ${memory}. ` +
    `Output = output gate × tanh(memory) = ${output} × ${signed(Math.tanh(values[4]))} = ${given}.`;
}

/** Make a track that is filled from its middle, to the left for a negative value. */
function signedTrack(value) {
  const track = make("span", "track middle", make("i"));
  const share = Math.min(1, Math.abs(value)) / 2;
  track.firstChild.style.width = `${100 * share}%`;
  track.firstChild.style.marginLeft = `${100 * (value < 0 ? 0.5 - share : 0.5)}%`;
  tintByUnit(track.firstChild, Math.sign(value));
  return track;
}

function startStep() {
  for (const part of unitNames.filter((name) => name.endsWith("/1"))) {
    const canvas = Object.assign(make("canvas", "heat"), { height: 1 });
    const name = `layer ${parseUnit(part).layer}, ${parseUnit(part).part === "c" ? "memory (c)" : "outputs (h)"}`;
    find("step-layers").append(make("li", "", make("span", "", name), canvas));
  }
  startBars("step-next", ROWS, "span");
  moveInText(find("step"));
  find("step-back").addEventListener("click", () => moveTo(reading.at - 1));
  find("step-on").addEventListener("click", () => moveTo(reading.at + 1));
}
