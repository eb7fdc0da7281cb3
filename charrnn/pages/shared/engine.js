/* The network: the LSTM of charrnn/engines/numpy_lstm.py, with the weights that the page holds.
 * Letters for shapes as in the Python package: C characters, L units of a layer. A state has two parts for each layer:
 * c, the memory, and h, the output. */
import { clamped, dotProduct } from "./numbers.js";
import { isInsideWord } from "./words.js";

const PAGE_BYTES = 65536; // of the memory
const ALIGNMENT = 16; // bytes
const OTHER_BYTES = 1000; // for what ALIGNMENT takes
const LARGEST_INT16 = 32767;
const LARGEST_INT32 = 2 ** 31 - 1;
const LARGEST_WEIGHT_INT8 = 127;

/** Return the bytes of a base64 string. */
export function bytesOf(base64) {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let place = 0; place < bytes.length; place++) {
    bytes[place] = characters.charCodeAt(place);
  }
  return bytes;
}

/** Return the float32 number that 16 bits stand for in IEEE 754 half precision. */
export function halfValue(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return NaN;
  }
  if (exponent === 0) {
    return sign * fraction * 2 ** -24;
  }
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function float32Of(base64) {
  return new Float32Array(bytesOf(base64).buffer);
}

/** Return a stored array as float32.
 * `{type, shape, data}` has the data in base64, little-endian. The type is "float32", "float16", or "int8" with
 * `scales`: one float32 for each row, by which the numbers of the row are multiplied. Data may also be float32 numbers. */
export function decodeArray({ type, shape, data, scales }) {
  if (ArrayBuffer.isView(data)) {
    return data;
  }
  if (type === "float32") {
    return float32Of(data);
  }
  if (type === "float16") {
    return decodeHalves(new Uint16Array(bytesOf(data).buffer));
  }
  return decodeBytes(new Int8Array(bytesOf(data).buffer), float32Of(scales), shape[1]);
}

function decodeHalves(halves) {
  const values = new Float32Array(halves.length);
  // Float32Array.from would take six times as long.
  for (let place = 0; place < values.length; place++) {
    values[place] = halfValue(halves[place]);
  }
  return values;
}

function decodeBytes(bytes, scales, columns) {
  const values = new Float32Array(bytes.length);
  for (let place = 0; place < values.length; place++) {
    const row = Math.floor(place / columns);
    values[place] = bytes[place] * scales[row];
  }
  return values;
}

export function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/** Return how long an array is in the memory: the kernel does eight numbers at once. */
function filled(length) {
  return 8 * Math.ceil(length / 8);
}

/** All arrays of a step are in the memory of kernel.wat, in float32, where L is `stride`, filled up with zeros. With weights
 * in int8, products are of integers, for which h is rounded to 16 bits. */
export class Network {
  /** @param {{arrays: Object, numLayers: number, lstmSize: number}} model arrays: `table` [C, 4L], the first layer's
   *   products of the one-hot inputs, without the bias; `kernel_0` [4L, L], `kernel_1` ... [4L, 2L], for the layer's
   *   input and h; `bias_0` ... [4L], with the forget bias; `softmax_kernel` [C, L]; `softmax_bias` [C]. The gates are
   *   in the order i, j, f, o.
   * @param {string} kernel compiled, in base64 */
  constructor({ arrays, numLayers, lstmSize }, kernel) {
    this.size = lstmSize;
    this.stride = filled(lstmSize);
    this.numLayers = numLayers;
    this.table = decodeArray(arrays.table);
    this.biases = Array.from({ length: numLayers }, (_, layer) =>
      decodeArray(arrays[`bias_${layer}`]),
    );
    this.softmaxBias = decodeArray(arrays.softmax_bias);
    this.numClasses = this.softmaxBias.length;
    this.directions = [];

    const kernels = this.biases.map((_, layer) =>
      this.layoutOf(arrays[`kernel_${layer}`], this.size),
    );
    const softmaxRows = arrays.softmax_kernel.shape[0];
    const softmax = this.layoutOf(arrays.softmax_kernel, softmaxRows);
    this.matrices = [...kernels, softmax];
    this.allocate(arrays.kernel_0.type === "int8");
    for (const matrix of this.matrices) {
      this.fill(matrix);
    }

    const module = new WebAssembly.Module(bytesOf(kernel));
    this.run = new WebAssembly.Instance(module, { page: { memory: this.memory } }).exports;
  }

  /** Return a matrix with its size in the memory. Zeros are filled in after each `block` rows, and each L columns. */
  layoutOf(array, block) {
    const [rows, columns] = array.shape;
    const height = (rows / block) * filled(block);
    const width = (columns / this.size) * this.stride;
    return { array, rows, columns, block, height, width };
  }

  /** Make the memory, and the arrays in it. */
  allocate(isBytes) {
    const { numLayers, stride } = this;
    const weightBytes = isBytes ? 1 : 4;
    let bytes = 16 * (numLayers + 2) * stride + OTHER_BYTES; // of the vectors
    for (const { height, width } of this.matrices) {
      bytes += height * (width * weightBytes + 4);
    }
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });

    let top = 0;
    const take = (Type, length) => {
      const view = new Type(this.memory.buffer, top, length);
      top += ALIGNMENT * Math.ceil(view.byteLength / ALIGNMENT);
      return view;
    };
    // Of one layer.
    this.c = take(Float32Array, stride);
    this.h = take(Float32Array, stride);
    // Of all layers.
    this.memories = take(Float32Array, filled(numLayers * this.size));
    this.tanhs = take(Float32Array, filled(numLayers * this.size));
    // What a matrix is multiplied with.
    this.vector = take(isBytes ? Int16Array : Float32Array, 2 * stride);

    for (const matrix of this.matrices) {
      matrix.result = take(Float32Array, matrix.height);
      matrix.view = take(isBytes ? Int8Array : Float32Array, matrix.height * matrix.width);
    }
    /** Those of each layer's last step, before sigmoid and tanh; `stride` is from a gate to the next. */
    this.gates = this.matrices.slice(0, -1).map(({ result }) => result);
  }

  /** Copy the numbers of a matrix to their place. */
  fill(matrix) {
    const { array, rows, columns, view, width } = matrix;
    const isBytes = array.type === "int8";
    const values = isBytes ? new Int8Array(bytesOf(array.data).buffer) : decodeArray(array);
    for (let row = 0; row < rows; row++) {
      const target = this.rowOf(matrix, row) * width;
      for (let part = 0; part < columns / this.size; part++) {
        const from = row * columns + part * this.size;
        view.set(values.subarray(from, from + this.size), target + part * this.stride);
      }
    }
    if (isBytes) {
      this.fillScales(matrix);
    }
  }

  /** Return the row in the memory of a row of a matrix. */
  rowOf({ block }, row) {
    return Math.floor(row / block) * this.stride + (row % block);
  }

  /** Give a matrix in int8 the `unit` that 1 is in h, as large as no sum goes beyond 32 bits, and the scales of its sums. */
  fillScales(matrix) {
    const { array, columns, height } = matrix;
    const mostUnit = Math.floor(LARGEST_INT32 / (LARGEST_WEIGHT_INT8 * columns));
    matrix.unit = Math.min(LARGEST_INT16, mostUnit);
    matrix.scales = new Float32Array(height);
    for (const [row, scale] of float32Of(array.scales).entries()) {
      matrix.scales[this.rowOf(matrix, row)] = scale / matrix.unit;
    }
  }

  /** Set the directions of the memory that can be read and held: a list of {name, probe, move, outside, inside}. The product
   * of the probe with c is `outside` where a property of the text is not, and `inside` where it is, on the mean; adding
   * `move` to c makes it 1 more. With `chars`, the characters of the network, they are held between words only, see
   * charrnn/engines/directions.py; without, after each character. */
  setDirections(directions, chars = []) {
    this.areInsideWords = chars.map(isInsideWord);
    this.directions = directions.map(({ probe, move, ...direction }) => ({
      ...direction,
      probe: Float32Array.from(probe),
      move: Float32Array.from(move),
    }));
  }

  /** Return the state before a text: c and h, the layers' one after the other. A state may have `steered`,
   * a direction and the `strength` at which it is held: 0 is outside, 1 inside. */
  zeroState() {
    const length = this.numLayers * this.size;
    return { c: new Float32Array(length), h: new Float32Array(length), steered: null };
  }

  /** Read one character: change the state. */
  step(id, state) {
    for (let layer = 0; layer < this.numLayers; layer++) {
      // A layer reads the h of the one below, and its own of the step before.
      const from = Math.max(0, layer - 1) * this.size;
      const read = state.h.subarray(from, (layer + 1) * this.size);
      this.product(this.matrices[layer], read);
      this.addBias(layer, id);
      this.update(layer, state);
    }
    if (state.steered && !this.areInsideWords[id]) {
      this.steer(state);
    }
  }

  /** Move the memories along a direction until its probe reads the target. The top layer shows its own at once, the others
   * do with the next character. */
  steer({ c, h, steered: { direction, strength } }) {
    const { outside, inside, probe, move } = direction;
    const missing = outside + strength * (inside - outside) - dotProduct(probe, c);
    for (let place = 0; place < c.length; place++) {
      c[place] += missing * move[place];
    }

    const top = this.numLayers - 1;
    for (let unit = 0; unit < this.size; unit++) {
      const place = top * this.size + unit;
      const output = sigmoid(this.gates[top][3 * this.stride + unit]);
      h[place] = output * Math.tanh(c[place]);
    }
  }

  /** Add the bias of a layer to its gates, and in the first layer what it makes of a character. */
  addBias(layer, id) {
    const { size, stride, table } = this;
    const gates = this.gates[layer];
    const bias = this.biases[layer];
    for (let gate = 0; gate < 4; gate++) {
      for (let unit = 0; unit < size; unit++) {
        const row = gate * size + unit;
        let added = bias[row];
        if (layer === 0) {
          added += table[id * 4 * size + row];
        }
        gates[gate * stride + unit] += added;
      }
    }
  }

  /** Return what the last step made of a cell: [input gate, new value, forget gate, output gate, memory, output]. */
  cell({ layer, unit }, state) {
    const gates = this.gates[layer - 1];
    const gateOf = (gate) => gates[gate * this.stride + unit - 1];
    const place = (layer - 1) * this.size + unit - 1;
    return [
      sigmoid(gateOf(0)),
      Math.tanh(gateOf(1)),
      sigmoid(gateOf(2)),
      sigmoid(gateOf(3)),
      state.c[place],
      state.h[place],
    ];
  }

  /** Return the logits [C] of the next character. */
  logits(state) {
    const products = this.product(this.matrices[this.numLayers], state.h.subarray(-this.size));
    return this.softmaxBias.map((bias, id) => products[id] + bias);
  }

  /** How many numbers the page shows of a state. */
  get width() {
    return 2 * this.numLayers * this.size + this.directions.length;
  }

  /** Return what the page shows of a state: int8 [width], of each layer tanh(c), then h, where 127 is 1; then how strong each
   * direction is, from -0.5, half a span outside, to 1.5, half a span further than inside. */
  activations(state, shown = new Int8Array(this.width)) {
    const tanhs = this.tanhOf(state.c);
    for (let place = 0; place < state.c.length; place++) {
      const layerStart = place - (place % this.size);
      const target = layerStart + place;
      shown[target] = Math.round(127 * tanhs[place]);
      shown[target + this.size] = Math.round(127 * state.h[place]);
    }
    const ofUnits = 2 * state.c.length;
    for (const [index, direction] of this.directions.entries()) {
      const { outside, inside, probe } = direction;
      const strength = (dotProduct(probe, state.c) - outside) / (inside - outside);
      shown[ofUnits + index] = Math.round(127 * clamped(strength - 0.5, -1, 1));
    }
    return shown;
  }

  /** Return the product of a matrix and a vector, parts of L, in the result of the matrix. */
  product(matrix, values) {
    const { view, result, height, width, scales } = matrix;
    this.copyToVector(values, matrix.unit);
    const product = scales ? this.run.productOfBytes : this.run.productOfFloats;
    product(view.byteOffset, this.vector.byteOffset, result.byteOffset, height, width);
    if (scales) {
      const sums = new Int32Array(result.buffer, result.byteOffset, height);
      for (let row = 0; row < height; row++) {
        result[row] = sums[row] * scales[row];
      }
    }
    return result;
  }

  /** Copy parts of L to the vector, in integers where 1 is a `unit` of them. */
  copyToVector(values, unit) {
    const { vector, size, stride } = this;
    for (let from = 0; from < values.length; from += size) {
      const gap = (from / size) * (stride - size);
      for (let place = from; place < from + size; place++) {
        vector[place + gap] = unit ? Math.round(unit * values[place]) : values[place];
      }
    }
  }

  /** Turn the gates of a layer into its new state. */
  update(layer, { c, h }) {
    const from = layer * this.size;
    this.c.set(c.subarray(from, from + this.size));
    this.run.update(
      this.gates[layer].byteOffset,
      this.c.byteOffset,
      this.h.byteOffset,
      4 * this.stride,
    );
    c.set(this.c.subarray(0, this.size), from);
    h.set(this.h.subarray(0, this.size), from);
  }

  tanhOf(values) {
    this.memories.set(values);
    this.run.tanhOf(this.memories.byteOffset, this.tanhs.byteOffset, 4 * this.tanhs.length);
    return this.tanhs;
  }
}
