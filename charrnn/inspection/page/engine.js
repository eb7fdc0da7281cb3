/* The network: the LSTM of charrnn/engines/numpy_lstm.py, with the weights that the page holds.
 * Letters for shapes as in the Python package: C characters, L units of a layer. A state has two parts for each layer:
 * c, the memory, and h, the output. */
"use strict";

/** Return the bytes of a base64 string. */
function bytesOf(base64) {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let place = 0; place < bytes.length; place++) {
    bytes[place] = characters.charCodeAt(place);
  }
  return bytes;
}

/** Return the float32 number that 16 bits stand for in IEEE 754 half precision. */
function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return exponent === 31 ? NaN : sign * size;
}

let halfValues = null; // of all 65,536, made when first needed

/** Return a stored array as float32.
 * `{type, shape, data}` has the data in base64, little-endian. The type is "float32", "float16", or "int8" with
 * `scales`: one float32 for each row, by which the numbers of the row are multiplied. */
function decodeArray({ type, shape, data, scales }) {
  const bytes = bytesOf(data);
  if (type === "float32") {
    return new Float32Array(bytes.buffer);
  }
  halfValues = halfValues || Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  const stored = type === "float16" ? new Uint16Array(bytes.buffer) : new Int8Array(bytes.buffer);
  const factors = scales && new Float32Array(bytesOf(scales).buffer);
  const values = new Float32Array(stored.length);
  for (let place = 0; place < values.length; place++) { // Float32Array.from would take six times as long
    const value = stored[place];
    values[place] = factors ? value * factors[Math.floor(place / shape[1])] : halfValues[value];
  }
  return values;
}

/** Put the product of a matrix [rows, columns] and a vector [columns] into `result`, four rows at a time. */
function multiply(matrix, vector, result, rows, columns) {
  for (let done = 0; done < rows; done += 4) {
    const row = Math.max(0, Math.min(done, rows - 4)); // some of the last four may be done again
    const [a, b, c, d] = [row * columns, (row + 1) * columns, (row + 2) * columns, (row + 3) * columns];
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (let k = 0; k < columns; k++) {
      const value = vector[k];
      sumA += matrix[a + k] * value;
      sumB += matrix[b + k] * value;
      sumC += matrix[c + k] * value;
      sumD += matrix[d + k] * value;
    }
    result[row] = sumA;
    result[row + 1] = sumB;
    result[row + 2] = sumC;
    result[row + 3] = sumD;
  }
}

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

class Network {
  /** @param {{arrays: Object, numLayers: number, lstmSize: number}} model arrays: `table` [C, 4L], the first layer's
   *   products of the one-hot inputs, without the bias; `kernel_0` [4L, L], `kernel_1` ... [4L, 2L], for the layer's
   *   input and h; `bias_0` ... [4L], with the forget bias; `softmax_kernel` [C, L]; `softmax_bias` [C]. The gates are
   *   in the order i, j, f, o. */
  constructor({ arrays, numLayers, lstmSize }) {
    const decoded = (name) => decodeArray(arrays[name]);
    this.size = lstmSize;
    this.numLayers = numLayers;
    this.table = decoded("table");
    this.layers = Array.from({ length: numLayers }, (_, index) => (
      { kernel: decoded(`kernel_${index}`), bias: decoded(`bias_${index}`) }));
    this.softmaxKernel = decoded("softmax_kernel");
    this.softmaxBias = decoded("softmax_bias");
    this.numClasses = this.softmaxBias.length;
    this.gates = this.layers.map(() => new Float64Array(4 * lstmSize)); // of the last step, before sigmoid and tanh
  }

  /** Return the state before a text: c and h, the layers' one after the other. A state may have `held`, units {layer,
   * part, unit, value} that get their value (of a memory, its tanh) in each step, whatever the gates say. */
  zeroState() {
    const length = this.numLayers * this.size;
    return { c: new Float64Array(length), h: new Float64Array(length) };
  }

  /** Read one character: change the state. */
  step(id, state) {
    const { size } = this;
    this.layers.forEach(({ kernel, bias }, index) => {
      const start = index * size;
      const gates = this.gates[index];
      // the input of a layer is the output of the layer before, whose h comes just before its own
      const inputs = state.h.subarray(index ? start - size : 0, start + size);
      multiply(kernel, inputs, gates, 4 * size, inputs.length);
      for (let k = 0; k < gates.length; k++) {
        gates[k] += bias[k] + (index ? 0 : this.table[id * 4 * size + k]);
      }
      for (let unit = 0; unit < size; unit++) {
        const input = sigmoid(gates[unit]) * Math.tanh(gates[size + unit]);
        const memory = sigmoid(gates[2 * size + unit]) * state.c[start + unit] + input;
        state.c[start + unit] = memory;
        state.h[start + unit] = sigmoid(gates[3 * size + unit]) * Math.tanh(memory);
      }
      for (const { part, unit, value } of (state.held || []).filter(({ layer }) => layer === index + 1)) {
        state.h[start + unit - 1] = part === "h" ? value : sigmoid(gates[3 * size + unit - 1]) * value;
        if (part === "c") {
          state.c[start + unit - 1] = Math.atanh(value);
        }
      }
    });
  }

  /** Return what the last step made of a cell: [input gate, new value, forget gate, output gate, memory, output]. */
  cell({ layer, unit }, state) {
    const gates = this.gates[layer - 1];
    const [input, fresh, forget, output] = [0, 1, 2, 3].map((gate) => gates[gate * this.size + unit - 1]);
    const place = (layer - 1) * this.size + unit - 1;
    return [sigmoid(input), Math.tanh(fresh), sigmoid(forget), sigmoid(output), state.c[place], state.h[place]];
  }

  /** Return the logits [C] of the next character. */
  logits(state) {
    const logits = new Float32Array(this.numClasses);
    multiply(this.softmaxKernel, state.h.subarray(-this.size), logits, this.numClasses, this.size);
    for (let id = 0; id < logits.length; id++) {
      logits[id] += this.softmaxBias[id];
    }
    return logits;
  }

  /** Return what the page shows of a state: int8 [2 * layers * L], 127 for 1; of each layer tanh(c), then h. */
  activations(state, shown = new Int8Array(2 * state.c.length)) {
    for (let place = 0; place < state.c.length; place++) {
      const start = place - (place % this.size);
      shown[start + place] = Math.round(127 * Math.tanh(state.c[place]));
      shown[start + place + this.size] = Math.round(127 * state.h[place]);
    }
    return shown;
  }
}
