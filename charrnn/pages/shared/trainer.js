/* The network that learns: charrnn/training/graph.py, with its dropout, weight decay and running averages. Letters for shapes
 * as in the Python package: N texts, which are read eight at a time, M steps of a window, C characters, L units of a layer; P
 * is C filled up to a multiple of four. A matrix of one step and eight texts is [rows, 8]. Those of a window come one after the
 * other: first the eights of its first step, then those of the second one. */
import { productOf } from "./arrays.js";
import { bytesOf } from "./engine.js";

const EIGHT = 8; // texts that the kernel reads at once
const ROW = 32; // bytes of a row of them
const FIRST_DECAY = 0.9; // Adam's beta_1 and beta_2, which train.wat has as well
const SECOND_DECAY = 0.999;
const FLOAT = 4; // bytes
const PAGE = 65536; // bytes of the memory
// A product is computed in blocks that stay in the caches of a processor.
const BLOCK_ROWS = 128;
const BLOCK_COLUMNS = 512;

/** What a network is trained with in the notebook: neither dropout nor weight decay nor averages. */
export const PLAIN = {
  grad_clip: 5,
  keep_prob: 1,
  recurrent_keep_prob: 1,
  weight_decay: 0,
  average_decay: 0,
};

/** Return the functions of the first kernel that the browser compiles, and the kernel itself.
 * @param {string[]} kernels in base64 @throws {Error} it compiles none */
function compiled(kernels, memory) {
  for (const kernel of kernels) {
    try {
      const module = new WebAssembly.Module(bytesOf(kernel));
      const { exports } = new WebAssembly.Instance(module, { page: { memory } });
      return { run: exports, kernel };
    } catch {
      // This browser lacks what the kernel needs: the next one needs less.
    }
  }
  throw new Error("This page needs WebAssembly with SIMD, which is missing or forbidden here.");
}

/** Return where in the memory a number of an array is. */
function addressOf(array, offset = 0) {
  return array.byteOffset + FLOAT * offset;
}

function filledUp(length, multiple) {
  return multiple * Math.ceil(length / multiple);
}

/** Return a seed of a mask, which is not 0: it depends on the numbers and on nothing else. */
function seedOf(...numbers) {
  let seed = 0x811c9dc5;
  for (const number of numbers) {
    seed = Math.imul(seed ^ number, 0x01000193);
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d);
    seed ^= seed >>> 13;
  }
  return seed || 1;
}

/** A network in training. What it is trained with, `rule`, has the names of charrnn/hyperparameters.py. */
export class Trainer {
  /** @param {{numClasses: number, lstmSize: number, numLayers: number}} sizes
   * @param {{texts: number, steps: number}} window N, a multiple of eight, and M
   * @param {string[]} kernels compiled forms of train.wat, the best one first
   * @param {Object} rule see PLAIN @param {number} seed of the masks of dropout */
  constructor(
    { numClasses, lstmSize, numLayers },
    { texts, steps },
    kernels,
    rule = PLAIN,
    seed = 0,
  ) {
    this.numClasses = numClasses;
    this.lstmSize = lstmSize;
    this.numLayers = numLayers;
    this.texts = texts;
    this.steps = steps;
    this.rule = rule;
    this.seed = seed;
    this.eights = texts / EIGHT; // in a step
    this.matrices = this.eights * steps; // of a window
    this.padded = filledUp(numClasses, 4); // P
    this.width = EIGHT * lstmSize; // of a matrix with a row for each unit
    this.updates = 0;
    this.layers = Array.from({ length: numLayers }, (_, layer) => ({
      kernel: `kernel_${layer}`,
      bias: `bias_${layer}`,
      reads: layer === 0 ? lstmSize : 2 * lstmSize,
    }));

    /** The shapes of the weights by their names, in the order in which they are in the memory: first the matrices. */
    this.shapes = {
      table: [numClasses, 4 * lstmSize],
      softmax_kernel: [this.padded, lstmSize],
    };
    for (const { kernel, reads } of this.layers) {
      this.shapes[kernel] = [4 * lstmSize, reads];
    }
    this.shapes.softmax_bias = [this.padded];
    for (const { bias } of this.layers) {
      this.shapes[bias] = [4 * lstmSize];
    }

    const memory = new WebAssembly.Memory({
      initial: Math.ceil((FLOAT * this.allocate(new ArrayBuffer(0))) / PAGE),
    });
    this.allocate(memory.buffer);
    const { run, kernel } = compiled(kernels, memory);
    this.run = run;
    this.kernel = kernel;
  }

  countWeights() {
    return Object.values(this.shapes).reduce((sum, shape) => sum + productOf(shape), 0);
  }

  get hasAverages() {
    return this.rule.average_decay > 0;
  }

  get drops() {
    return this.rule.keep_prob < 1;
  }

  get dropsRecurrent() {
    return this.rule.recurrent_keep_prob < 1;
  }

  /** Make the arrays in a buffer, unless it is empty, and return how many numbers they have. */
  allocate(buffer) {
    const { steps, eights, matrices, lstmSize, width, padded, layers } = this;
    const isMade = buffer.byteLength > 0;
    let top = 0;
    const take = (length, Type = Float32Array) => {
      const from = top;
      top += filledUp(length, 4); // 16 bytes: no gap between arrays of weights
      return isMade ? new Type(buffer, FLOAT * from, length) : null;
    };

    // Adam expects these four one after the other.
    const weights = this.countWeights();
    this.weights = take(weights);
    this.gradients = take(weights);
    this.averages = take(weights);
    this.squares = take(weights);
    // The running averages of the weights.
    this.smoothed = this.hasAverages ? take(weights) : null;
    if (isMade) {
      this.arrays = this.partsOf(this.weights);
      this.slopes = this.partsOf(this.gradients);
    }

    // A matrix the other way round has rows up to a multiple of four.
    const unitRows = filledUp(lstmSize, 4);
    this.softmaxBack = take(unitRows * padded);
    this.layerBack = take(unitRows * 4 * lstmSize);
    for (const layer of layers) {
      layer.dropped = this.dropsRecurrent ? take(4 * lstmSize * lstmSize) : null;
      // h and c before each step, and after the last one.
      layer.outputs = take((steps + 1) * eights * width);
      layer.memory = take((steps + 1) * eights * width);
      // The gates after their activation, and the outputs that the next layer gets.
      layer.gates = take(4 * matrices * width);
      layer.given = this.drops ? take(matrices * width) : null;
      // The gradients of the outputs.
      layer.back = take(matrices * width);
    }
    this.memoryBack = take(eights * width);

    // Logits, which become their gradients.
    this.logits = take(matrices * padded * EIGHT);
    this.ids = take(matrices * EIGHT, Int32Array);
    this.noIds = take(EIGHT, Int32Array);

    // What a gradient of a matrix is made of, see outerProduct.
    this.left = take(Math.max(4 * lstmSize, padded) * matrices * EIGHT);
    this.right = take(filledUp(lstmSize, EIGHT) * matrices * EIGHT);
    take(BLOCK_ROWS * EIGHT); // for rows that are filled up
    return top;
  }

  /** Return the parts of all weights, or of numbers like them, by their names. */
  partsOf(numbers) {
    const parts = {};
    let from = 0;
    for (const [name, shape] of Object.entries(this.shapes)) {
      const to = from + productOf(shape);
      parts[name] = numbers.subarray(from, to);
      from = to;
    }
    return parts;
  }

  /** Set the state to zeros, as at the beginning of an epoch. */
  reset() {
    for (const { outputs, memory } of this.layers) {
      outputs.fill(0);
      memory.fill(0);
    }
  }

  /** Have the running averages begin with the weights of now. */
  beginAverages() {
    this.smoothed?.set(this.weights);
  }

  /** Return what a layer has at a place of the window: where h and c before and after it are, and so on. */
  placesOf({ outputs, memory, gates, given, back }, place) {
    const { width, eights } = this;
    const next = place + eights;
    return {
      before: addressOf(outputs, place * width),
      after: addressOf(outputs, next * width),
      memoryBefore: addressOf(memory, place * width),
      memoryAfter: addressOf(memory, next * width),
      gates: addressOf(gates, 4 * place * width),
      given: given === null ? addressOf(outputs, next * width) : addressOf(given, place * width),
      back: addressOf(back, place * width),
    };
  }

  /** Add the products of a matrix {address, stride} and an x [columns, 8] to a y [rows, 8] for each of `pairs`, [x, y]. A block
   * of the matrix is used for all of them before the next one. */
  addProducts({ address, stride }, pairs, rows, columns) {
    for (let column = 0; column < columns; column += BLOCK_COLUMNS) {
      const width = Math.min(BLOCK_COLUMNS, columns - column);
      for (let row = 0; row < rows; row += BLOCK_ROWS) {
        const height = Math.min(BLOCK_ROWS, rows - row);
        const block = address + row * stride + FLOAT * column;
        for (const [x, y] of pairs) {
          this.run.addProduct(block, x + ROW * column, y + ROW * row, height, width, stride, ROW);
        }
      }
    }
  }

  /** Add to `y` [rows, 8] for each text the row of a table [C, rows] that an id names. With `isBack` 1 add `y` to the row. */
  addRows({ table, ids, y, rows, isBack = 0 }) {
    this.run.addRows(table, ids, y, rows, isBack);
  }

  /** Add a bias to each column of a matrix [rows, 8], or with `isBack` 1, for its gradient, each column to it: it is a table
   * of one row, the same for all texts. */
  addBias(bias, y, isBack = 0) {
    const table = addressOf(bias);
    const ids = addressOf(this.noIds);
    this.addRows({ table, ids, y, rows: bias.length, isBack });
  }

  idsAt(place) {
    return addressOf(this.ids, EIGHT * place);
  }

  logitsAt(place) {
    return addressOf(this.logits, place * this.padded * EIGHT);
  }

  /** Return the matrix of what a layer reads from the one below. */
  inputOf({ kernel, reads }) {
    return { address: addressOf(this.arrays[kernel]), stride: FLOAT * reads };
  }

  /** Return the matrix of what a layer reads of its own outputs, with its dropout. */
  recurrentOf({ kernel, reads, dropped }) {
    if (dropped !== null) {
      return { address: addressOf(dropped), stride: FLOAT * this.lstmSize };
    }
    const offset = reads - this.lstmSize;
    return { address: addressOf(this.arrays[kernel], offset), stride: FLOAT * reads };
  }

  /** Drop some of the numbers of an array, which may be the same. With the same seed, they are the same ones. */
  drop(from, to, keepProb, ...seeds) {
    const seed = seedOf(this.seed, this.updates, ...seeds);
    this.run.drop(addressOf(from), addressOf(to), to.byteLength, keepProb, seed);
  }

  dropRecurrent(index) {
    const { dropped } = this.layers[index];
    this.drop(dropped, dropped, this.rule.recurrent_keep_prob, index, 1);
  }

  dropOutputs(index, from, to) {
    this.drop(from, to, this.rule.keep_prob, index, 0);
  }

  /** Read a window, ids [M, N], and return the mean loss of guessing `targets`, the characters that follow. */
  read(ids, targets) {
    this.ids.set(ids);
    for (let layer = 0; layer < this.numLayers; layer++) {
      this.readLayer(layer);
    }
    this.readSoftmax();
    return this.expect(targets);
  }

  /** Compute the gates, c and h of a layer in the whole window. */
  readLayer(index) {
    const { lstmSize, width, eights, matrices, arrays, layers } = this;
    const layer = layers[index];
    const rows = 4 * lstmSize;
    const places = Array.from({ length: matrices }, (_, place) => this.placesOf(layer, place));
    layer.gates.fill(0);
    for (const [place, { gates }] of places.entries()) {
      this.addBias(arrays[layer.bias], gates);
      if (index === 0) {
        const ids = this.idsAt(place);
        this.addRows({ table: addressOf(arrays.table), ids, y: gates, rows });
      }
    }
    if (index > 0) {
      const below = layers[index - 1];
      const pairs = places.map(({ gates }, place) => [this.placesOf(below, place).given, gates]);
      this.addProducts(this.inputOf(layer), pairs, rows, lstmSize);
    }

    if (layer.dropped !== null) {
      this.copyRecurrent(arrays[layer.kernel], layer, (part, own) => own.set(part));
      this.dropRecurrent(index);
    }
    const recurrent = this.recurrentOf(layer);
    for (let place = 0; place < matrices; place += eights) {
      const ofStep = places.slice(place, place + eights);
      const pairs = ofStep.map(({ before, gates }) => [before, gates]);
      this.addProducts(recurrent, pairs, rows, lstmSize);
      for (const { gates, memoryBefore, memoryAfter, after } of ofStep) {
        this.run.forward(gates, memoryBefore, memoryAfter, after, FLOAT * width);
      }
    }
    if (layer.given !== null) {
      this.dropOutputs(index, layer.outputs.subarray(eights * width), layer.given);
    }
  }

  /** Call a function for each row of the recurrent part of a kernel, or of its gradient, and the same row of `dropped`. */
  copyRecurrent(kernel, { reads, dropped }, copy) {
    const { lstmSize } = this;
    for (let row = 0; row < 4 * lstmSize; row++) {
      const end = (row + 1) * reads;
      const own = dropped.subarray(row * lstmSize, (row + 1) * lstmSize);
      copy(kernel.subarray(end - lstmSize, end), own);
    }
  }

  /** Compute the logits of the window. */
  readSoftmax() {
    const { lstmSize, padded, matrices, arrays } = this;
    const top = this.layers.at(-1);
    this.logits.fill(0);
    const pairs = [];
    for (let place = 0; place < matrices; place++) {
      const logits = this.logitsAt(place);
      this.addBias(arrays.softmax_bias, logits);
      pairs.push([this.placesOf(top, place).given, logits]);
    }
    const matrix = { address: addressOf(arrays.softmax_kernel), stride: FLOAT * lstmSize };
    this.addProducts(matrix, pairs, padded, lstmSize);
  }

  /** Turn the logits into the gradient of the mean loss of the window, which is returned. */
  expect(targets) {
    const { numClasses, padded, matrices, logits } = this;
    const share = 1 / targets.length;
    let loss = 0;
    for (let place = 0; place < matrices; place++) {
      this.run.softmax(this.logitsAt(place), numClasses, share);
      for (let text = 0; text < EIGHT; text++) {
        const target = targets[EIGHT * place + text];
        const own = (place * padded + target) * EIGHT + text;
        loss -= Math.log(logits[own] / share);
        logits[own] -= share;
      }
    }
    return loss / targets.length;
  }

  /** Compute the gradients of the mean loss of the window that was read. */
  differentiate() {
    const { lstmSize, padded, matrices, arrays, slopes, layers } = this;
    this.turn(
      { address: addressOf(arrays.softmax_kernel), stride: FLOAT * lstmSize },
      padded,
      this.softmaxBack,
    );
    this.gradients.fill(0);

    const top = layers.at(-1);
    top.back.fill(0);
    const pairs = [];
    for (let place = 0; place < matrices; place++) {
      const slope = this.logitsAt(place);
      this.addBias(slopes.softmax_bias, slope, 1);
      pairs.push([slope, this.placesOf(top, place).back]);
    }
    this.addBack(this.softmaxBack, pairs, padded);
    this.outerProduct({
      left: this.logits,
      rows: padded,
      right: this.givenBy(top),
      slope: slopes.softmax_kernel,
      stride: lstmSize,
    });

    for (let layer = this.numLayers - 1; layer >= 0; layer--) {
      this.differentiateLayer(layer);
    }
  }

  /** Put a matrix [rows, L] the other way round into an array [L, rows]. Rows that fill it up are zeros. */
  turn({ address, stride }, rows, target) {
    const { lstmSize } = this;
    this.run.transpose(address, addressOf(target), rows, lstmSize, stride, FLOAT * rows);
    target.fill(0, lstmSize * rows);
  }

  /** Add the products of a matrix that is the other way round, [L, columns], see addProducts. */
  addBack(matrix, pairs, columns) {
    const rows = filledUp(this.lstmSize, 4);
    this.addProducts({ address: addressOf(matrix), stride: FLOAT * columns }, pairs, rows, columns);
  }

  /** Return the outputs that a layer gives, [M, L, 8] and so on. */
  givenBy({ outputs, given }) {
    return given ?? outputs.subarray(this.eights * this.width);
  }

  /** Compute the gradients of a layer, of whose outputs the gradient is known. */
  differentiateLayer(index) {
    const { lstmSize, width, eights, matrices, slopes, layers, memoryBack } = this;
    const layer = layers[index];
    const rows = 4 * lstmSize;
    const places = Array.from({ length: matrices }, (_, place) => this.placesOf(layer, place));
    if (layer.given !== null) {
      this.dropOutputs(index, layer.back, layer.back);
    }

    this.turn(this.recurrentOf(layer), rows, this.layerBack);
    memoryBack.fill(0);
    for (let first = matrices - eights; first >= 0; first -= eights) {
      const pairs = [];
      for (let eight = 0; eight < eights; eight++) {
        const { gates, memoryBefore, memoryAfter, back } = places[first + eight];
        const ofMemory = addressOf(memoryBack, eight * width);
        this.run.backward(gates, memoryBefore, memoryAfter, back, ofMemory, FLOAT * width);
        if (first > 0) {
          pairs.push([gates, places[first + eight - eights].back]);
        }
      }
      this.addBack(this.layerBack, pairs, rows);
    }

    for (const [place, { gates }] of places.entries()) {
      this.addBias(slopes[layer.bias], gates, 1);
      if (index === 0) {
        const table = addressOf(slopes.table);
        this.addRows({ table, ids: this.idsAt(place), y: gates, rows, isBack: 1 });
      }
    }
    this.differentiateKernel(layer, index);
    if (index > 0) {
      const below = layers[index - 1];
      this.turn(this.inputOf(layer), rows, this.layerBack);
      below.back.fill(0);
      const pairs = places.map(({ gates }, place) => [gates, this.placesOf(below, place).back]);
      this.addBack(this.layerBack, pairs, rows);
    }
  }

  /** Compute the gradient of a kernel from those of the gates. */
  differentiateKernel(layer, index) {
    const { lstmSize, width, matrices, slopes } = this;
    const { kernel, reads, gates, outputs, dropped } = layer;
    const rows = 4 * lstmSize;
    const slope = slopes[kernel];
    if (index > 0) {
      const right = this.givenBy(this.layers[index - 1]);
      this.outerProduct({ left: gates, rows, right, slope, stride: reads });
    }
    const right = outputs.subarray(0, matrices * width);
    if (dropped === null) {
      const own = slope.subarray(reads - lstmSize);
      this.outerProduct({ left: gates, rows, right, slope: own, stride: reads });
      return;
    }
    // The weights with their dropout are not needed any more: their gradient takes their place.
    dropped.fill(0);
    this.outerProduct({ left: gates, rows, right, slope: dropped, stride: lstmSize });
    this.dropRecurrent(index);
    this.copyRecurrent(slope, layer, (part, own) => part.set(own));
  }

  /** Add the sum of the products of `left` [M, rows, N] and `right` [M, L, N] over steps and texts to `slope` [rows, L], of which
   * a row is `stride` numbers after the one before. */
  outerProduct({ left, rows, right, slope, stride }) {
    const { lstmSize, matrices, run } = this;
    const columns = matrices * EIGHT;
    for (let place = 0; place < matrices; place++) {
      const from = addressOf(left, place * rows * EIGHT);
      run.spread(from, addressOf(this.left, place * EIGHT), rows, FLOAT * columns);
    }
    // Eight units at a time, in which what belongs to a step and a text is a row.
    for (let unit = 0; unit < lstmSize; unit += EIGHT) {
      const panel = addressOf(this.right, unit * columns);
      for (let place = 0; place < matrices; place++) {
        const from = addressOf(right, (place * lstmSize + unit) * EIGHT);
        run.transpose(from, panel + place * EIGHT * ROW, EIGHT, EIGHT, ROW, ROW);
      }
    }
    const left8 = lstmSize % EIGHT;
    if (left8 > 0) {
      this.clearLastUnits(columns, left8);
    }

    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      const height = Math.min(BLOCK_ROWS, rows - row);
      const block = addressOf(this.left, row * columns);
      for (let unit = 0; unit < lstmSize; unit += EIGHT) {
        const panel = addressOf(this.right, unit * columns);
        const y = addressOf(slope, row * stride + unit);
        run.addProduct(block, panel, y, height, columns, FLOAT * columns, FLOAT * stride);
      }
    }
  }

  /** Set to zero what fills the last eight units up, so that nothing is added where it belongs to others. */
  clearLastUnits(columns, count) {
    const end = filledUp(this.lstmSize, EIGHT) * columns;
    for (let row = end - EIGHT * columns; row < end; row += EIGHT) {
      this.right.fill(0, row + count, row + EIGHT);
    }
  }

  /** Have the next window go on from the state after this one. */
  carry() {
    const { width, eights, matrices } = this;
    for (const { outputs, memory } of this.layers) {
      outputs.copyWithin(0, matrices * width, (matrices + eights) * width);
      memory.copyWithin(0, matrices * width, (matrices + eights) * width);
    }
  }

  /** Change the weights by Adam, after the norm of all gradients was clipped; let the matrices decay; and follow the weights
   * with their averages. */
  update(rate) {
    const { rule, run, weights, shapes, smoothed } = this;
    const bytes = weights.byteLength;
    const norm = Math.sqrt(run.sumOfSquares(addressOf(this.gradients), bytes));
    const factor = rule.grad_clip / Math.max(norm, rule.grad_clip);

    this.updates++;
    const corrected =
      (rate * Math.sqrt(1 - SECOND_DECAY ** this.updates)) / (1 - FIRST_DECAY ** this.updates);
    run.adam(addressOf(weights), bytes, factor, corrected);

    if (rule.weight_decay > 0) {
      const matrices = Object.values(shapes).filter((shape) => shape.length === 2);
      const numbers = matrices.reduce((sum, shape) => sum + productOf(shape), 0);
      run.scale(addressOf(weights), FLOAT * numbers, 1 - rule.weight_decay * rate);
    }
    if (smoothed !== null) {
      run.approach(addressOf(weights), addressOf(smoothed), bytes, 1 - rule.average_decay);
    }
  }

  /** Learn from a window, and return its mean loss before. */
  learn(ids, targets, rate) {
    const loss = this.read(ids, targets);
    this.differentiate();
    this.carry();
    this.update(rate);
    return loss;
  }

  /** Return weights, a copy of all of them, for the constructor of Network. */
  model(weights) {
    const { numClasses, lstmSize, numLayers } = this;
    // Without what the softmax is filled up with.
    const shapes = {
      ...this.shapes,
      softmax_kernel: [numClasses, lstmSize],
      softmax_bias: [numClasses],
    };
    const parts = this.partsOf(weights);
    const arrays = {};
    for (const [name, shape] of Object.entries(shapes)) {
      arrays[name] = { type: "float32", shape, data: parts[name].subarray(0, productOf(shape)) };
    }
    return { numLayers, lstmSize, arrays };
  }
}
