/* The network that learns, charrnn/model.py with its optimizer, for sixteen texts at once. Letters for shapes as in the
 * Python package: N texts, M steps of a window, C characters, L units of a layer; P is C filled up to a multiple of four.
 * What belongs to a step is a matrix [rows, N]. */
import { bytesOf } from "../shared/engine.js";
import { productOf, transposed } from "./arrays.js";

export const TEXTS = 16; // N
const FIRST_DECAY = 0.9; // Adam's beta_1 and beta_2, which learn.wat has as well
const SECOND_DECAY = 0.999;
const FLOAT = 4; // bytes
const PAGE = 65536; // bytes of the memory

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

export class Trainer {
  /** @param {{numClasses: number, lstmSize: number, numLayers: number}} sizes L is even
   * @param {number} steps M
   * @param {string[]} kernels compiled forms of learn.wat, the best one first */
  constructor({ numClasses, lstmSize, numLayers }, steps, kernels) {
    this.numClasses = numClasses;
    this.lstmSize = lstmSize;
    this.numLayers = numLayers;
    this.steps = steps;
    this.padded = 4 * Math.ceil(numClasses / 4); // P
    this.width = TEXTS * lstmSize;
    this.updates = 0;
    this.layers = Array.from({ length: numLayers }, (_, layer) => ({
      kernel: `kernel_${layer}`,
      bias: `bias_${layer}`,
      reads: layer === 0 ? lstmSize : 2 * lstmSize,
    }));

    /** The shapes of the weights by their names, in the order in which they are in the memory. */
    this.shapes = {
      table: [numClasses, 4 * lstmSize],
      softmax_kernel: [this.padded, lstmSize],
      softmax_bias: [this.padded],
    };
    for (const { kernel, bias, reads } of this.layers) {
      this.shapes[kernel] = [4 * lstmSize, reads];
      this.shapes[bias] = [4 * lstmSize];
    }

    const memory = new WebAssembly.Memory({
      initial: Math.ceil((FLOAT * this.countNumbers()) / PAGE),
    });
    const { run, kernel } = compiled(kernels, memory);
    this.run = run;
    this.kernel = kernel;
    this.allocate(memory);
  }

  countWeights() {
    return Object.values(this.shapes).reduce((sum, shape) => sum + productOf(shape), 0);
  }

  /** Return for how many numbers the memory needs room; the transposed kernels are fewer than the weights. */
  countNumbers() {
    const { steps, numLayers, width, padded } = this;
    const ofWeights = 5 * this.countWeights();
    const inputs = (steps + numLayers) * numLayers * width;
    const ofLayers = numLayers * (5 * steps + 3) * width;
    const ofOutputs = TEXTS * (steps * (padded + 1) + 1);
    return ofWeights + inputs + ofLayers + ofOutputs;
  }

  /** Make the arrays in the memory. */
  allocate(memory) {
    const { steps, numLayers, width, padded, layers } = this;
    let top = 0;
    const take = (length, Type = Float32Array) => {
      const array = new Type(memory.buffer, top, length);
      top += array.byteLength;
      return array;
    };

    // Adam expects these four one after the other.
    const weights = this.countWeights();
    this.weights = take(weights);
    this.gradients = take(weights);
    this.averages = take(weights);
    this.squares = take(weights);
    this.arrays = this.partsOf(this.weights);
    this.slopes = this.partsOf(this.gradients);

    this.transposed = {};
    for (const name of ["softmax_kernel", ...layers.map(({ kernel }) => kernel)]) {
      this.transposed[name] = take(productOf(this.shapes[name]));
    }

    // h of a layer after a step is in row step + layer + 1, beside that of the layer below: what a layer reads is together.
    this.inputs = take((steps + numLayers) * numLayers * width);
    for (const layer of layers) {
      // The gates after their activation, and c before each step and after the last one.
      layer.gates = take(4 * steps * width);
      layer.memory = take((steps + 1) * width);
    }
    // The gradients of h and c of each layer, at one step.
    this.dh = take(numLayers * width);
    this.dc = take(numLayers * width);

    // Logits, which become their gradients.
    this.outputs = take(steps * padded * TEXTS);
    this.ids = take(steps * TEXTS, Int32Array);
    this.noIds = take(TEXTS, Int32Array);
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

  /** Return where in `inputs` the outputs of a layer after a step are; those after step -1 are the state before. */
  rowOf(layer, step) {
    return ((step + layer + 1) * this.layers.length + layer) * this.width;
  }

  /** Return where in `inputs` what a layer reads at a step begins: the outputs of the layer below, and its own before. */
  readBy(layer, step) {
    return layer === 0 ? this.rowOf(0, step - 1) : this.rowOf(layer - 1, step);
  }

  /** Set the state to zeros, as at the beginning of an epoch. */
  reset() {
    this.inputs.fill(0);
    for (const { memory } of this.layers) {
      memory.fill(0);
    }
  }

  /** Add the product of a matrix [rows, columns] and `x` [columns, N] to `y` [rows, N], all three addresses. */
  addProduct({ matrix, x, y, rows, columns }) {
    this.run.addProduct(matrix, x, y, rows, columns);
  }

  /** Add to `y` [rows, N] for each text the row of a table [C, rows] that an id names. With `isBack` 1 add `y` to the row. */
  addRows({ table, ids, y, rows, isBack = 0 }) {
    this.run.addRows(table, ids, y, rows, isBack);
  }

  /** Add a bias to each column of a matrix [rows, N], or with `isBack` 1, for its gradient, each column to it: it is a table
   * of one row, the same for all texts. */
  addBias(bias, y, isBack = 0) {
    const table = addressOf(bias);
    const ids = addressOf(this.noIds);
    this.addRows({ table, ids, y, rows: bias.length, isBack });
  }

  /** Read a window, ids [M, N], and return the mean loss of guessing `targets`, the characters that follow. */
  read(ids, targets) {
    this.ids.set(ids);
    this.outputs.fill(0);
    for (const { gates } of this.layers) {
      gates.fill(0);
    }
    for (let step = 0; step < this.steps; step++) {
      for (let layer = 0; layer < this.numLayers; layer++) {
        this.readLayer(layer, step);
      }
      this.readSoftmax(step);
    }
    return this.expect(targets);
  }

  /** Compute the gates of a layer at a step, its c and its h. */
  readLayer(layer, step) {
    const { lstmSize, width, arrays, inputs } = this;
    const { kernel, bias, reads, gates, memory } = this.layers[layer];
    const rows = 4 * lstmSize;
    const gatesNow = addressOf(gates, 4 * step * width);
    this.addBias(arrays[bias], gatesNow);
    if (layer === 0) {
      const ids = addressOf(this.ids, step * TEXTS);
      this.addRows({ table: addressOf(arrays.table), ids, y: gatesNow, rows });
    }
    this.addProduct({
      matrix: addressOf(arrays[kernel]),
      x: addressOf(inputs, this.readBy(layer, step)),
      y: gatesNow,
      rows,
      columns: reads,
    });

    const before = addressOf(memory, step * width);
    const after = addressOf(memory, (step + 1) * width);
    const h = addressOf(inputs, this.rowOf(layer, step));
    this.run.forward(gatesNow, before, after, h, FLOAT * width);
  }

  /** Compute the logits of a step. */
  readSoftmax(step) {
    const { lstmSize, padded, arrays, inputs } = this;
    const logits = addressOf(this.outputs, step * padded * TEXTS);
    this.addBias(arrays.softmax_bias, logits);
    this.addProduct({
      matrix: addressOf(arrays.softmax_kernel),
      x: addressOf(inputs, this.rowOf(this.numLayers - 1, step)),
      y: logits,
      rows: padded,
      columns: lstmSize,
    });
  }

  /** Turn the logits in `outputs` into the gradient of the mean loss of the window, which is returned. */
  expect(targets) {
    const { numClasses, padded, outputs } = this;
    let loss = 0;
    for (const [place, target] of targets.entries()) {
      const step = Math.floor(place / TEXTS);
      const text = place % TEXTS;
      const start = step * padded * TEXTS + text;
      const end = (step * padded + numClasses) * TEXTS;
      const own = start + target * TEXTS;

      let most = -Infinity;
      for (let logit = start; logit < end; logit += TEXTS) {
        most = Math.max(most, outputs[logit]);
      }
      loss += most - outputs[own];

      let sum = 0;
      for (let logit = start; logit < end; logit += TEXTS) {
        outputs[logit] = Math.exp(outputs[logit] - most);
        sum += outputs[logit];
      }
      loss += Math.log(sum);

      for (let logit = start; logit < end; logit += TEXTS) {
        outputs[logit] /= sum * targets.length;
      }
      outputs[own] -= 1 / targets.length;
    }
    return loss / targets.length;
  }

  /** Compute the gradients of the mean loss of the window that was read. */
  differentiate() {
    // So that the way back reads from left to right as well.
    for (const [name, target] of Object.entries(this.transposed)) {
      const [rows] = this.shapes[name];
      transposed(this.arrays[name], rows, target);
    }

    // These are added up from step to step.
    this.dh.fill(0);
    this.dc.fill(0);
    this.slopes.table.fill(0);
    this.slopes.softmax_bias.fill(0);
    for (const { bias } of this.layers) {
      this.slopes[bias].fill(0);
    }

    for (let step = this.steps - 1; step >= 0; step--) {
      this.differentiateSoftmax(step);
      for (let layer = this.numLayers - 1; layer >= 0; layer--) {
        this.differentiateLayer(layer, step);
      }
    }
    this.differentiateMatrices();
  }

  differentiateSoftmax(step) {
    const { lstmSize, padded, width } = this;
    const slope = addressOf(this.outputs, step * padded * TEXTS);
    const top = this.numLayers - 1;
    this.addProduct({
      matrix: addressOf(this.transposed.softmax_kernel),
      x: slope,
      y: addressOf(this.dh, top * width),
      rows: lstmSize,
      columns: padded,
    });
    this.addBias(this.slopes.softmax_bias, slope, 1);
  }

  differentiateLayer(layer, step) {
    const { lstmSize, width, slopes, dh, dc } = this;
    const { kernel, bias, reads, gates, memory } = this.layers[layer];
    const gatesNow = addressOf(gates, 4 * step * width);
    this.run.backward(
      gatesNow,
      addressOf(memory, step * width),
      addressOf(memory, (step + 1) * width),
      addressOf(dh, layer * width),
      addressOf(dc, layer * width),
      FLOAT * width,
    );

    // dh of this layer becomes that of the step before, and what the layer below gets is added to its own.
    dh.fill(0, layer * width, (layer + 1) * width);
    const below = Math.max(0, layer - 1);
    this.addProduct({
      matrix: addressOf(this.transposed[kernel]),
      x: gatesNow,
      y: addressOf(dh, below * width),
      rows: reads,
      columns: 4 * lstmSize,
    });

    this.addBias(slopes[bias], gatesNow, 1);
    if (layer === 0) {
      const ids = addressOf(this.ids, step * TEXTS);
      const table = addressOf(slopes.table);
      this.addRows({ table, ids, y: gatesNow, rows: 4 * lstmSize, isBack: 1 });
    }
  }

  /** Compute the gradients of the kernels from those of all steps. */
  differentiateMatrices() {
    const { lstmSize, padded, width, slopes } = this;
    for (const [layer, { kernel, reads, gates }] of this.layers.entries()) {
      this.outerProduct({
        a: addressOf(gates),
        b: addressOf(this.inputs, this.readBy(layer, 0)),
        y: addressOf(slopes[kernel]),
        rows: 4 * lstmSize,
        columns: reads,
        stepA: 4 * width,
      });
    }
    this.outerProduct({
      a: addressOf(this.outputs),
      b: addressOf(this.inputs, this.rowOf(this.numLayers - 1, 0)),
      y: addressOf(slopes.softmax_kernel),
      rows: padded,
      columns: lstmSize,
      stepA: padded * TEXTS,
    });
  }

  /** Put the sum of the products of `a` [M, rows, N] and `b` [M, columns, N] over steps and texts into `y` [rows, columns].
   * `stepA` is how many numbers there are from a step of `a` to the next; `b` is in `inputs`. */
  outerProduct({ a, b, y, rows, columns, stepA }) {
    const stepB = this.numLayers * this.width;
    this.run.outerProduct(a, b, y, rows, columns, this.steps, FLOAT * stepA, FLOAT * stepB);
  }

  /** Have the next window go on from the state after this one. */
  carry() {
    const { width, steps, inputs } = this;
    for (const [layer, { memory }] of this.layers.entries()) {
      memory.copyWithin(0, steps * width);
      const last = this.rowOf(layer, steps - 1);
      inputs.copyWithin(this.rowOf(layer, -1), last, last + width);
    }
  }

  /** Change the weights by Adam, after the norm of all gradients was clipped. */
  update(rate, gradClip) {
    let sum = 0;
    for (let place = 0; place < this.gradients.length; place++) {
      sum += this.gradients[place] ** 2;
    }
    const factor = gradClip / Math.max(Math.sqrt(sum), gradClip);

    this.updates++;
    const corrected =
      (rate * Math.sqrt(1 - SECOND_DECAY ** this.updates)) / (1 - FIRST_DECAY ** this.updates);
    this.run.adam(addressOf(this.weights), FLOAT * this.weights.length, factor, corrected);
  }

  /** Learn from a window, and return its mean loss before. */
  learn(ids, targets, rate, gradClip = 5) {
    const loss = this.read(ids, targets);
    this.differentiate();
    this.carry();
    this.update(rate, gradClip);
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
