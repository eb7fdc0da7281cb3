/* The picture of one step in Read: from a character through the layers and one cell to the next character. */
"use strict";

const PARTS = ["input gate", "new value", "forget gate", "output gate", "memory", "output"]; // as Network.cell has them
let cellSeen = {}; // of the cell that is shown {piece, name, values}: the parts for each place of a piece

/** Show a step with the values at the place of the text that the card shows. */
function showStep() {
  const { activations, guesses } = reading.seen[reading.at];
  const id = reading.ids[reading.at];
  find("step-character").textContent = glyph(chars[id]);
  find("step-id").textContent = `one-hot: number ${id + 1} of ${chars.length}`;
  drawHeat(find("step-one-hot"), chars.map((_, place) => (place === id ? 127 : 0)));
  find("step-layers").querySelectorAll("canvas").forEach((canvas, part) => {
    drawHeat(canvas, activations.subarray(part * lstmSize, (part + 1) * lstmSize));
  });
  showBars(find("step-next"), guesses.map((guess) => (
    { ...guess, marked: guess.id === reading.ids[reading.at + 1] })), ROWS);
  showCell();
}

/** Draw values from -127 to 127 as a strip of colours. */
function drawHeat(canvas, values) {
  const [high, low] = ["high", "low"].map(pixelOf);
  const image = new ImageData(values.length, 1);
  new Uint32Array(image.data.buffer).set(Array.from(values, (value) => (
    (2 * Math.abs(value) << 24) | (value < 0 ? low : high))));
  canvas.width = values.length;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Show the gates of the cell whose unit colours the text, its memory before and after, and the sum that makes it. */
function showCell() {
  const piece = pieceAt(reading.at);
  if (!piece?.known) {
    return;
  }
  const name = colour === "surprise" ? data.discoveries[0] || "1/c/1" : colour;
  const { layer, unit } = parseUnit(name);
  if (cellSeen.piece !== piece || cellSeen.name !== name) {
    const mine = { piece, name, values: [] };
    cellSeen = mine;
    ask("cell", { ids: reading.ids.slice(piece.from, piece.to), piece: reading.pieces.indexOf(piece), layer, unit }, {
      cell: ({ values }) => {
        mine.values = values;
        showCell();
      },
    });
  }
  find("step-cell").textContent = `Cell ${unit} in layer ${layer}`;
  const now = cellSeen.values[reading.at - piece.from] || [];
  const [input, fresh, forget, output, memory, given] = now.map(signed);
  find("step-gates").replaceChildren(...PARTS.map((part, index) => (
    make("li", "", make("span", "", part), signedTrack(now[index]), make("span", "", now.map(signed)[index] || "")))));
  const before = cellSeen.values[reading.at - piece.from - 1]?.[4];
  find("step-sum").textContent = before === undefined ? ""
    : `memory = forget gate × memory before + input gate × new value = ${forget} × ${signed(before)} + ${input} × ${
      fresh} = ${memory}. Output = output gate × tanh(memory) = ${output} × ${signed(Math.tanh(now[4]))} = ${given}.`;
}

/** Make a track that is filled from its middle, to the left for a negative value. */
function signedTrack(value = 0) {
  const track = make("span", "track middle", make("i"));
  const share = Math.min(1, Math.abs(value)) / 2;
  track.firstChild.style.width = `${100 * share}%`;
  track.firstChild.style.marginLeft = `${100 * (value < 0 ? 0.5 - share : 0.5)}%`;
  tintByUnit(track.firstChild, Math.sign(value));
  return track;
}

function startStep() {
  for (let part = 0; part < 2 * numLayers; part++) {
    const canvas = make("canvas", "heat");
    canvas.height = 1;
    find("step-layers").append(make("li", "", make("span", "",
      `layer ${Math.floor(part / 2) + 1}, ${part % 2 ? "outputs (h)" : "memory (c)"}`), canvas));
  }
  find("step").addEventListener("keydown", move);
  find("step-back").addEventListener("click", () => moveTo(reading.at - 1));
  find("step-on").addEventListener("click", () => moveTo(reading.at + 1));
}
