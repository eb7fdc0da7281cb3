/* Files that charrnn and the page exchange, see charrnn/checkpoints/weights.py. A .npz is a zip file of arrays that are not
 * compressed. Its comment is the SHA-256 of all bytes before it, in hexadecimal. */
import { RandomState } from "../shared/decoding.js";
import { halfValue } from "../shared/engine.js";

const DIGEST = 64; // characters of the comment
const DAMAGED = "The file is damaged, or no model of charrnn.";
const LARGEST_WEIGHT = 1e30; // as in charrnn
const scopeOf = (layer) => `rnn/multi_rnn_cell/cell_${layer}/basic_lstm_cell`;
export const productOf = (shape) => shape.reduce((product, each) => product * each, 1);
const isForget = (row, lstmSize) => (row >= 2 * lstmSize && row < 3 * lstmSize ? 1 : 0);

async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("Files need a page that is opened from disk or by https.");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the checksum of a member of a zip file. */
function crc32(bytes) {
  let sum = -1;
  for (let place = 0; place < bytes.length; place++) {
    sum ^= bytes[place];
    for (let bit = 0; bit < 8; bit++) {
      sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
    }
  }
  return ~sum >>> 0;
}

/** Return numbers as bytes, little-endian: [number of bytes, value] for each. */
function packed(...fields) {
  return Uint8Array.from(
    fields.flatMap(([count, value]) =>
      Array.from({ length: count }, (_, k) => (value / 2 ** (8 * k)) & 255),
    ),
  );
}

/** Return an array {shape, data} as a .npy file. */
function packArray({ shape, data }) {
  const type = data instanceof Uint8Array ? "|u1" : "<f4";
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape[1] ? "" : ","}), }`;
  const length = 64 * Math.ceil((header.length + 11) / 64);
  const bytes = new Uint8Array(length + data.byteLength);
  bytes.set(
    new TextEncoder().encode(`.NUMPY${header.padStart(header.length + 4).padEnd(length - 7)}\n`),
  );
  bytes.set([0x93]);
  bytes.set(packed([1, 1], [1, 0], [2, length - 10]), 6);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), length);
  return bytes;
}

/** Return a .npz file. `variables` has {shape, data} for each name, `about` the vocabulary, a string. */
export async function packNpz(variables, about) {
  const described = new TextEncoder().encode(JSON.stringify(about));
  const [members, directory] = [[], []];
  let offset = 0;
  for (const [name, array] of [
    ["about", { shape: [described.length], data: described }],
    ...variables,
  ]) {
    const [path, bytes] = [new TextEncoder().encode(`${name}.npy`), packArray(array)];
    const common = packed(
      [2, 20],
      [6, 0],
      [2, 0x21],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, path.length],
    );
    members.push(packed([4, 0x04034b50]), common, packed([2, 0]), path, bytes);
    directory.push(packed([4, 0x02014b50], [2, 20]), common, packed([12, 0], [4, offset]), path);
    offset += 30 + path.length + bytes.length;
  }
  const [count, size] = [
    directory.length / 4,
    directory.reduce((sum, each) => sum + each.length, 0),
  ];
  const end = packed(
    [4, 0x06054b50],
    [4, 0],
    [2, count],
    [2, count],
    [4, size],
    [4, offset],
    [2, DIGEST],
  );
  const content = new Uint8Array(await new Blob([...members, ...directory, end]).arrayBuffer());
  return new Blob([content, await sha256(content)]).arrayBuffer();
}

/** Return the arrays of a .npz file, a Map from a name to {shape, data}, and what it says about them.
 * @throws {Error} the file is damaged, or of another kind */
export async function unpackNpz(bytes) {
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const end = bytes.length - DIGEST;
  if (end < 22 || (await sha256(bytes.slice(0, end))) !== text(end)) {
    throw new Error(DAMAGED);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const variables = new Map();
  let entry = view.getUint32(end - 6, true);
  for (let count = view.getUint16(end - 12, true); count > 0; count--) {
    const [size, start] = [20, 42].map((place) => view.getUint32(entry + place, true));
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(entry + place, true));
    const from = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    variables.set(
      text(entry + 46, entry + 46 + name).replace(/\.npy$/, ""),
      unpackArray(bytes.slice(from, from + size)),
    );
    entry += 46 + name + extra + comment;
  }
  const about = JSON.parse(new TextDecoder().decode(variables.get("about").data));
  variables.delete("about");
  return { variables, about };
}

function unpackArray(bytes) {
  const start = 10 + new DataView(bytes.buffer).getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(10, start));
  const [, type] = /'descr': '(<f4|<f2|\|u1)'/.exec(header);
  const shape = /'shape': \(([\d, ]*)\)/
    .exec(header)[1]
    .split(",")
    .filter((each) => each.trim())
    .map(Number);
  const stored = new { "<f4": Float32Array, "<f2": Uint16Array, "|u1": Uint8Array }[type](
    bytes.slice(start).buffer,
  );
  const data = type === "<f2" ? Float32Array.from(stored, halfValue) : stored;
  return {
    shape,
    data: header.includes("'fortran_order': True") && shape[1] ? transposed(data, shape[1]) : data,
  };
}

/** Return a matrix with a number of rows transposed. */
export function transposed(matrix, rows, result = new Float32Array(matrix.length)) {
  const columns = matrix.length / rows;
  for (let row = 0, place = 0; row < rows; row++) {
    for (let to = row, k = 0; k < columns; k++, to += rows) {
      result[to] = matrix[place++];
    }
  }
  return result;
}

/** Return the shapes of the variables of charrnn, a Map from their names. */
function shapesOf({ numClasses, lstmSize, numLayers }) {
  const layers = Array.from({ length: numLayers }, (_, layer) => [
    [`${scopeOf(layer)}/kernel`, [(layer ? lstmSize : numClasses) + lstmSize, 4 * lstmSize]],
    [`${scopeOf(layer)}/bias`, [4 * lstmSize]],
  ]);
  return new Map([
    ...layers.flat(),
    ["softmax/Variable", [lstmSize, numClasses]],
    ["softmax/Variable_1", [numClasses]],
  ]);
}

/** Return the sizes of a network with these variables. @throws {Error} they are no network of LSTM cells */
export function sizesOf(variables) {
  const [lstmSize, numClasses] = variables.get("softmax/Variable")?.shape || [];
  const sizes = { numClasses, lstmSize, numLayers: Math.max(1, Math.ceil(variables.size / 2 - 1)) };
  for (const [name, shape] of shapesOf(sizes)) {
    const { shape: own, data } = variables.get(name) || {};
    if (String(own) !== String(shape) || !productOf(shape) || data.length !== productOf(shape)) {
      throw new Error(
        `The file has no network of LSTM cells: ${name} ${own ? `has the shape [${own}]` : "is missing"}.`,
      );
    }
    if (!data.every((value) => Math.abs(value) <= LARGEST_WEIGHT)) {
      throw new Error(`The file has weights that are not finite, or too large, in ${name}.`);
    }
  }
  return sizes;
}

/** Return weights of a trainer, in its arrays or others like them, as variables, {shape, data} by name. charrnn's cell adds
 * 1 to the forget gate. */
export function variablesOf(trainer, arrays = trainer.arrays) {
  const { numClasses, lstmSize, layers } = trainer;
  const values = layers.flatMap(({ kernel, bias }, index) => {
    const table = index ? [] : arrays.table;
    const whole = new Float32Array(table.length + arrays[kernel].length);
    whole.set(table);
    transposed(arrays[kernel], 4 * lstmSize, whole.subarray(table.length));
    return [whole, arrays[bias].map((value, row) => value - isForget(row, lstmSize))];
  });
  values.push(
    transposed(arrays.softmax_kernel.subarray(0, numClasses * lstmSize), numClasses),
    arrays.softmax_bias.slice(0, numClasses),
  );
  return new Map(
    [...shapesOf(trainer)].map(([name, shape], index) => [name, { shape, data: values[index] }]),
  );
}

/** Put variables into the weights of a trainer of their sizes. */
export function setVariables(trainer, variables) {
  const { lstmSize, layers, arrays } = trainer;
  const values = [...shapesOf(trainer).keys()].map((name) => variables.get(name).data);
  for (const [index, { kernel, bias, reads }] of layers.entries()) {
    const rest = values[2 * index].subarray(-arrays[kernel].length);
    arrays.table.set(index ? [] : values[0].subarray(0, arrays.table.length));
    transposed(rest, reads, arrays[kernel]);
    arrays[bias].set(values[2 * index + 1].map((value, row) => value + isForget(row, lstmSize)));
  }
  arrays.softmax_kernel.set(transposed(values.at(-2), lstmSize));
  arrays.softmax_bias.set(values.at(-1));
}

/** Draw the weights that a training begins with: those of initial_weights in charrnn/training/graph.py. */
export function initialVariables(sizes, seed) {
  const random = new RandomState(seed);
  const uniform = () => 2 * random.randomSample() - 1;
  const normal = () => {
    // by the method of Box and Muller; beyond two standard deviations it is drawn again
    const value =
      Math.sqrt(-2 * Math.log(1 - random.randomSample())) * Math.cos(Math.PI * uniform());
    return Math.abs(value) <= 2 ? 0.1 * value : normal();
  };
  return new Map(
    [...shapesOf(sizes)].map(([name, shape]) => {
      const limit = Math.sqrt(6 / (shape[0] + shape[1])); // Glorot and Bengio 2010
      const draw = !shape[1]
        ? () => 0
        : name === "softmax/Variable"
          ? normal
          : () => limit * uniform();
      return [name, { shape, data: Float32Array.from({ length: productOf(shape) }, draw) }];
    }),
  );
}
