/* The network that learns: charrnn/model.py with its optimizer, for sixteen texts at once. decoding.js, engine.js,
 * npz.js and plain.js come before it. Letters for shapes as in the Python package: N texts, M steps of a window, C characters, L
 * units of a layer; P is C filled up to a multiple of four. What belongs to a step is a matrix [rows, N]. */
"use strict";
const TEXTS = 16; // N

/** Return the kernel of learn.wat with its memory, or null where WebAssembly or SIMD are missing or forbidden. The first
 * of the base64 strings that the browser can compile is taken. */
function compiledKernel(sources, bytes) {
  for (const source of sources) {
    try {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(source)), { page: { memory } });
      return { run: exports, buffer: memory.buffer, unit: 4, source };
    } catch { /* the next one, or none */ }
  }
  return null;
}

class Trainer {
  /** @param {{numClasses: number, lstmSize: number, numLayers: number}} sizes
   * @param {number} steps M, of a window at most
   * @param {string[]} kernels compiled forms of learn.wat, the best one first; none for plain JavaScript
   * @param {Function} Numbers the type of all numbers, Float64Array for plain JavaScript with more digits */
  constructor(sizes, steps, kernels = [], Numbers = Float32Array) {
    Object.assign(this, sizes, { steps, padded: 4 * Math.ceil(sizes.numClasses / 4), updates: 0 });
    const { numLayers, lstmSize: L, padded: P } = this;
    const layers = Array.from({ length: numLayers }, (_, layer) => layer);
    this.shapes = { table: [this.numClasses, 4 * L],
      ...Object.fromEntries(layers.flatMap((layer) => [[`kernel_${layer}`, [4 * L, (layer ? 2 : 1) * L]],
        [`bias_${layer}`, [4 * L]]])),
      softmax_kernel: [P, L], softmax_bias: [P] };
    const lengths = Object.values(this.shapes).map((shape) => shape.reduce((product, each) => product * each));
    const weights = lengths.reduce((sum, each) => sum + each);
    const width = TEXTS * L;
    const numbers = 5 * weights + (steps + numLayers) * numLayers * width + steps * TEXTS * (P + 1)
      + numLayers * width * (5 * steps + 3);
    const compiled = compiledKernel(kernels, 4 * numbers + 1024);
    const plain = compiled ? null : new Numbers(numbers);
    const { run, buffer, unit } = compiled || { run: plainKernel(plain), buffer: plain.buffer, unit: 1 };
    Object.assign(this, { run, buffer, unit, kernel: compiled?.source, Numbers });
    let top = 0;
    const take = (length) => {
      const view = new Numbers(buffer, top, length);
      top += view.byteLength;
      return view;
    };
    [this.weights, this.gradients, this.averages, this.squares] = [0, 1, 2, 3].map(() => take(weights));
    [this.arrays, this.slopes] = [this.weights, this.gradients].map((set) => this.partsOf(set));
    this.transposed = [...layers.map((layer) => `kernel_${layer}`), "softmax_kernel"].map((name) => ({
      name, view: take(this.arrays[name].length) }));
    // h of layer l after step t is in row t + l + 1, part l: beside what else a layer reads, h of the layer below
    this.inputs = take((steps + numLayers) * numLayers * width);
    this.gates = layers.map(() => take(4 * steps * width));
    this.memories = layers.map(() => take((steps + 1) * width)); // c before each step, and after the last one
    [this.dh, this.dc] = [0, 0].map(() => take(numLayers * width));
    this.outputs = take(steps * P * TEXTS);
    const ids = take(steps * TEXTS);
    this.ids = compiled ? new Int32Array(buffer, ids.byteOffset, ids.length) : ids;
  }

  partsOf(set) {
    let from = 0;
    return Object.fromEntries(Object.entries(this.shapes).map(([name, shape]) => {
      const part = set.subarray(from, from + shape.reduce((product, each) => product * each));
      from += part.length;
      return [name, part];
    }));
  }

  /** Return what the kernel calls the place of a number of an array. */
  at(view, offset = 0) {
    return (view.byteOffset / this.Numbers.BYTES_PER_ELEMENT + offset) * this.unit;
  }

  /** Return where in `inputs` the outputs of a layer after a step are; that of step -1 is the state before. */
  rowOf(layer, step) {
    return ((step + layer + 1) * this.numLayers + layer) * TEXTS * this.lstmSize;
  }

  /** Set the state to zeros, as before a text. */
  reset() {
    this.inputs.fill(0);
    for (const memory of this.memories) {
      memory.fill(0);
    }
  }

  /** Return a copy of the state: c and h of each layer. */
  state() {
    const width = TEXTS * this.lstmSize;
    return this.memories.map((memory, layer) => ({ c: memory.slice(0, width),
      h: this.inputs.slice(this.rowOf(layer, -1), this.rowOf(layer, -1) + width) }));
  }

  setState(state) {
    for (const [layer, { c, h }] of state.entries()) {
      this.memories[layer].set(c);
      this.inputs.set(h, this.rowOf(layer, -1));
    }
  }

  /** Read a window: ids [steps, N] and the characters that follow them; a target of -1 does not count. The state goes on
   * from that of the window before when `carry` is called.
   * @returns {{loss: number, count: number}} nats in all, and the characters that count */
  read(ids, targets, steps = this.steps) {
    const { lstmSize: L, numLayers, padded: P, arrays, inputs, outputs, run } = this;
    const width = TEXTS * L;
    this.ids.set(ids.subarray(0, steps * TEXTS));
    for (let step = 0; step < steps; step++) {
      for (let layer = 0; layer < numLayers; layer++) {
        const gates = this.at(this.gates[layer], 4 * step * width);
        this.spread(arrays[`bias_${layer}`], this.gates[layer], 4 * step * width);
        if (layer === 0) {
          run.addRows(this.at(arrays.table), this.placeOfIds(step), gates, 4 * L, 0);
        }
        run.addProduct(this.at(arrays[`kernel_${layer}`]), this.at(inputs, this.readBy(layer, step)), gates, 4 * L,
          (layer ? 2 : 1) * L);
        run.forward(gates, this.at(this.memories[layer], step * width), this.at(this.memories[layer], (step + 1) * width),
          this.at(inputs, this.rowOf(layer, step)), width * this.unit);
      }
      this.spread(arrays.softmax_bias, outputs, step * P * TEXTS);
      run.addProduct(this.at(arrays.softmax_kernel), this.at(inputs, this.rowOf(numLayers - 1, step)),
        this.at(outputs, step * P * TEXTS), P, L);
    }
    return this.expect(targets, steps);
  }

  placeOfIds(step) {
    return this.unit === 1 ? this.at(this.ids, step * TEXTS) : this.ids.byteOffset + 4 * step * TEXTS;
  }

  /** Return where in `inputs` all that a layer reads at a step begins. */
  readBy(layer, step) {
    return ((step + layer) * this.numLayers + Math.max(0, layer - 1)) * TEXTS * this.lstmSize;
  }

  spread(bias, view, from) {
    for (let row = 0, place = from; row < bias.length; row++) {
      for (const end = place + TEXTS; place < end; place++) {
        view[place] = bias[row];
      }
    }
  }

  /** Add to a gradient of a bias what is in a matrix [rows, N]. */
  gather(bias, view, from) {
    for (let row = 0, place = from; row < bias.length; row++) {
      let sum = 0;
      for (const end = place + TEXTS; place < end; place++) {
        sum += view[place];
      }
      bias[row] += sum;
    }
  }

  /** Turn the logits in `outputs` into the gradient of the mean loss of the window. */
  expect(targets, steps) {
    const { numClasses, padded: P, outputs } = this;
    let [loss, count] = [0, 0];
    const scale = 1 / (steps * TEXTS);
    for (let step = 0; step < steps; step++) {
      const [from, end] = [step * P * TEXTS, (step * P + numClasses) * TEXTS];
      outputs.fill(0, end, from + P * TEXTS);
      for (let n = 0; n < TEXTS; n++) {
        const target = targets[step * TEXTS + n];
        let [most, sum] = [-Infinity, 0];
        for (let place = from + n; place < end; place += TEXTS) {
          most = Math.max(most, outputs[place]);
        }
        const logit = target < 0 ? 0 : outputs[from + target * TEXTS + n];
        for (let place = from + n; place < end; place += TEXTS) {
          outputs[place] = Math.exp(outputs[place] - most);
          sum += outputs[place];
        }
        for (let place = from + n; place < end; place += TEXTS) {
          outputs[place] *= scale / sum;
        }
        if (target >= 0) {
          outputs[from + target * TEXTS + n] -= scale;
          loss += Math.log(sum) + most - logit;
          count++;
        }
      }
    }
    return { loss, count };
  }

  /** Compute the gradients of the mean loss of the window that was read, of `steps` steps, all of which count. */
  differentiate(steps = this.steps) {
    const { lstmSize: L, numLayers, padded: P, slopes, inputs, outputs, dh, dc, run, unit } = this;
    const width = TEXTS * L;
    const top = numLayers - 1;
    for (const { name, view } of this.transposed) { // so that the way back reads matrices from the left to the right as well
      transposed(this.arrays[name], this.shapes[name][0], view);
    }
    for (const each of [dh, dc, slopes.table, slopes.softmax_bias, ...this.gates.map((_, layer) => slopes[`bias_${layer}`])]) {
      each.fill(0);
    }
    for (let step = steps - 1; step >= 0; step--) {
      run.addProduct(this.at(this.transposed[numLayers].view), this.at(outputs, step * P * TEXTS), this.at(dh, top * width),
        L, P);
      this.gather(slopes.softmax_bias, outputs, step * P * TEXTS);
      for (let layer = top; layer >= 0; layer--) {
        const gates = this.at(this.gates[layer], 4 * step * width);
        run.backward(gates, this.at(this.memories[layer], step * width), this.at(this.memories[layer], (step + 1) * width),
          this.at(dh, layer * width), this.at(dc, layer * width), width * unit);
        dh.fill(0, layer * width, (layer + 1) * width); // from now on that of the step before
        run.addProduct(this.at(this.transposed[layer].view), gates, this.at(dh, Math.max(0, layer - 1) * width),
          (layer ? 2 : 1) * L, 4 * L);
        this.gather(slopes[`bias_${layer}`], this.gates[layer], 4 * step * width);
      }
      run.addRows(this.at(slopes.table), this.placeOfIds(step), this.at(this.gates[0], 4 * step * width), 4 * L, 1);
    }
    const between = numLayers * width * unit; // two rows of inputs
    for (let layer = 0; layer < numLayers; layer++) {
      run.outerProduct(this.at(this.gates[layer]), this.at(inputs, this.readBy(layer, 0)), this.at(slopes[`kernel_${layer}`]),
        4 * L, (layer ? 2 : 1) * L, steps, 4 * width * unit, between);
    }
    run.outerProduct(this.at(outputs), this.at(inputs, this.rowOf(top, 0)), this.at(slopes.softmax_kernel), P, L, steps,
      P * TEXTS * unit, between);
  }

  /** Have the next window go on from the state after this one. */
  carry(steps = this.steps) {
    const width = TEXTS * this.lstmSize;
    for (const [layer, memory] of this.memories.entries()) {
      memory.copyWithin(0, steps * width, (steps + 1) * width);
      const last = this.rowOf(layer, steps - 1);
      this.inputs.copyWithin(this.rowOf(layer, -1), last, last + width);
    }
  }

  /** Change the weights by Adam, after the norm of all gradients was clipped. */
  update(rate, gradClip) {
    let sum = 0;
    for (let place = 0; place < this.gradients.length; place++) {
      sum += this.gradients[place] ** 2;
    }
    this.updates++;
    const factor = gradClip / Math.max(Math.sqrt(sum), gradClip);
    const corrected = (rate * Math.sqrt(1 - 0.999 ** this.updates)) / (1 - 0.9 ** this.updates);
    this.run.adam(this.at(this.weights), this.weights.length * this.unit, factor, corrected);
  }

  /** Forget what the optimizer has gathered. */
  resetOptimizer() {
    this.averages.fill(0);
    this.squares.fill(0);
    this.updates = 0;
  }

  /** Learn from a window, and return the mean loss before. */
  learn(ids, targets, rate, gradClip = 5) {
    const { loss, count } = this.read(ids, targets);
    this.differentiate();
    this.carry();
    this.update(rate, gradClip);
    return loss / count;
  }

  /** Return the weights as the constructor of Network takes them. They change with the training where Network does not
   * copy them. */
  model() {
    const { arrays, shapes, numClasses, numLayers, lstmSize } = this;
    const shown = { ...shapes, softmax_kernel: [numClasses, lstmSize], softmax_bias: [numClasses] };
    return { numLayers, lstmSize, arrays: Object.fromEntries(Object.entries(shown).map(([name, shape]) => (
      [name, { type: "float32", shape, data: arrays[name].subarray(0, shape.reduce((product, each) => product * each)) }]))) };
  }
}
