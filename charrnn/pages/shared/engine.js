/* The network: the LSTM of charrnn/engines/numpy_lstm.py, with the weights that the page holds.
 * Letters for shapes as in the Python package: C characters, L units of a layer. A state has two parts for each layer:
 * c, the memory, and h, the output. */
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
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return exponent === 31 ? NaN : sign * size;
}

/** Return a stored array as float32.
 * `{type, shape, data}` has the data in base64, little-endian. The type is "float32", "float16", or "int8" with
 * `scales`: one float32 for each row, by which the numbers of the row are multiplied. Data may also be float32 numbers. */
function decodeArray({ type, shape, data, scales }) {
  if (ArrayBuffer.isView(data)) {
    return data;
  }
  const bytes = bytesOf(data);
  if (type === "float32") {
    return new Float32Array(bytes.buffer);
  }
  const stored = type === "float16" ? new Uint16Array(bytes.buffer) : new Int8Array(bytes.buffer);
  const factors = scales && new Float32Array(bytesOf(scales).buffer);
  const values = new Float32Array(stored.length);
  for (let place = 0; place < values.length; place++) {
    // Float32Array.from would take six times as long
    const value = stored[place];
    values[place] = factors ? value * factors[Math.floor(place / shape[1])] : halfValue(value);
  }
  return values;
}

export function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

const filled = (length) => 8 * Math.ceil(length / 8); // the kernel does as many numbers at once

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
    this.numLayers = numLayers;
    this.table = decodeArray(arrays.table);
    this.biases = Array.from({ length: numLayers }, (_, index) =>
      decodeArray(arrays[`bias_${index}`]),
    );
    this.softmaxBias = decodeArray(arrays.softmax_bias);
    this.numClasses = this.softmaxBias.length;
    this.place(arrays);
    const page = { memory: this.memory };
    this.run = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(kernel)), { page }).exports;
  }

  /** Make the memory, and put the matrices there. `gates` are those of each layer's last step, before sigmoid and tanh;
   * `stride` is from the first number of a gate to that of the next. */
  place(arrays) {
    const { size, numLayers } = this;
    this.stride = filled(size);
    const isBytes = arrays.kernel_0.type === "int8";
    const kernels = this.biases.map((_, index) => arrays[`kernel_${index}`]);
    const matrices = [...kernels, arrays.softmax_kernel].map((array) => {
      const [rows, columns] = array.shape;
      const block = array === arrays.softmax_kernel ? rows : size; // rows between which rows are filled in
      const [height, width] = [(rows / block) * filled(block), (columns / size) * this.stride];
      return { array, rows, columns, block, height, width };
    });
    const bytes = matrices.reduce(
      (sum, { height, width }) => sum + height * (width * (isBytes ? 1 : 4) + 4),
      0,
    );
    const others = 16 * (numLayers + 2) * this.stride; // the vectors
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((bytes + others + 999) / 65536) });
    let top = 0;
    const take = (Type, length) => {
      const view = new Type(this.memory.buffer, top, length);
      top += 16 * Math.ceil(view.byteLength / 16);
      return view;
    };
    [this.c, this.h] = [0, 0].map(() => take(Float32Array, this.stride)); // of a layer
    [this.memories, this.tanhs] = [0, 0].map(() => take(Float32Array, filled(numLayers * size)));
    this.vector = take(isBytes ? Int16Array : Float32Array, 2 * this.stride);
    this.matrices = matrices.map((matrix) =>
      this.fill({
        ...matrix,
        result: take(Float32Array, matrix.height),
        view: take(isBytes ? Int8Array : Float32Array, matrix.height * matrix.width),
      }),
    );
    this.gates = this.matrices.slice(0, -1).map(({ result }) => result);
  }

  /** Copy a matrix to its place. In int8 its `scales` are those of the rows, divided by the `unit` that 1 is in h. */
  fill(matrix) {
    const { array, rows, columns, block, width, view } = matrix;
    const rowOf = (row) => Math.floor(row / block) * this.stride + (row % block);
    const values =
      array.type === "int8" ? new Int8Array(bytesOf(array.data).buffer) : decodeArray(array);
    for (let from = 0; from < rows * columns; from += this.size) {
      const left = ((from % columns) / this.size) * this.stride;
      view.set(
        values.subarray(from, from + this.size),
        rowOf(Math.floor(from / columns)) * width + left,
      );
    }
    if (array.scales) {
      matrix.unit = Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * columns))); // so that no sum is beyond 32 bits
      matrix.scales = new Float32Array(matrix.height);
      new Float32Array(bytesOf(array.scales).buffer).forEach((scale, row) => {
        matrix.scales[rowOf(row)] = scale / matrix.unit;
      });
    }
    return matrix;
  }

  /** Return the state before a text: c and h, the layers' one after the other. A state may have `held`, units {layer,
   * part, unit, value} that get their value (of a memory, its tanh) in each step, whatever the gates say. */
  zeroState() {
    const length = this.numLayers * this.size;
    return { c: new Float32Array(length), h: new Float32Array(length), held: [] };
  }

  /** Read one character: change the state. */
  step(id, state) {
    const { size, stride, table } = this;
    for (const [index, bias] of this.biases.entries()) {
      const gates = this.gates[index];
      this.product(
        this.matrices[index],
        state.h.subarray(Math.max(0, index - 1) * size, (index + 1) * size),
      );
      for (let gate = 0; gate < 4; gate++) {
        for (let unit = 0; unit < size; unit++) {
          const row = gate * size + unit;
          gates[gate * stride + unit] += bias[row] + (index ? 0 : table[id * 4 * size + row]);
        }
      }
      this.update(index, state);
      for (const { part, unit, value } of state.held.filter(({ layer }) => layer === index + 1)) {
        const place = index * size + unit - 1;
        state.h[place] = part === "h" ? value : sigmoid(gates[3 * stride + unit - 1]) * value;
        if (part === "c") {
          state.c[place] = Math.atanh(value);
        }
      }
    }
  }

  /** Return what the last step made of a cell: [input gate, new value, forget gate, output gate, memory, output]. */
  cell({ layer, unit }, state) {
    const gates = this.gates[layer - 1];
    const [input, fresh, forget, output] = [0, 1, 2, 3].map(
      (gate) => gates[gate * this.stride + unit - 1],
    );
    const place = (layer - 1) * this.size + unit - 1;
    return [
      sigmoid(input),
      Math.tanh(fresh),
      sigmoid(forget),
      sigmoid(output),
      state.c[place],
      state.h[place],
    ];
  }

  /** Return the logits [C] of the next character. */
  logits(state) {
    const products = this.product(this.matrices[this.numLayers], state.h.subarray(-this.size));
    return this.softmaxBias.map((bias, id) => products[id] + bias);
  }

  /** Return what the page shows of a state: int8 [2 * layers * L], 127 for 1; of each layer tanh(c), then h. */
  activations(state, shown = new Int8Array(2 * state.c.length)) {
    const outs = this.tanhOf(state.c);
    for (let place = 0; place < state.c.length; place++) {
      const start = place - (place % this.size);
      shown[start + place] = Math.round(127 * outs[place]);
      shown[start + place + this.size] = Math.round(127 * state.h[place]);
    }
    return shown;
  }

  /** Put the product of a matrix and a vector, parts of L, into the result of the matrix. */
  product({ view, result, height, width, scales, unit }, values) {
    const { vector, size, stride } = this;
    for (let from = 0; from < values.length; from += size) {
      const gap = (from / size) * (stride - size);
      for (let place = from; place < from + size; place++) {
        vector[place + gap] = scales ? Math.round(unit * values[place]) : values[place];
      }
    }
    if (scales) {
      this.run.productOfBytes(view.byteOffset, vector.byteOffset, result.byteOffset, height, width);
      const sums = new Int32Array(result.buffer, result.byteOffset, height);
      for (let row = 0; row < height; row++) {
        result[row] = sums[row] * scales[row];
      }
    } else {
      this.run.productOfFloats(
        view.byteOffset,
        vector.byteOffset,
        result.byteOffset,
        height,
        width,
      );
    }
    return result;
  }

  update(index, { c, h }) {
    const [from, to] = [index * this.size, (index + 1) * this.size];
    this.c.set(c.subarray(from, to));
    this.run.update(
      this.gates[index].byteOffset,
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
