/* The network that learns, charrnn/model.py with its optimizer, for sixteen texts at once. Letters for shapes as in the
 * Python package: N texts, M steps of a window, C characters, L units of a layer; P is C filled up to a multiple of four.
 * What belongs to a step is a matrix [rows, N]. */
import { bytesOf } from "../shared/engine.js";
import { productOf, transposed } from "./npz.js";

export const TEXTS = 16; // N

/** Return the first kernel, of base64 strings, that the browser compiles. @throws {Error} it compiles none */
function kernelOf(sources, memory) {
  for (const source of sources) {
    try {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(source)), {
        page: { memory },
      });
      return { run: exports, kernel: source };
    } catch {
      /* the next one */
    }
  }
  throw new Error("This page needs WebAssembly with SIMD, which is missing or forbidden here.");
}

export class Trainer {
  /** @param {{numClasses: number, lstmSize: number, numLayers: number}} sizes L is even
   * @param {number} steps M
   * @param {string[]} kernels compiled forms of learn.wat, the best one first */
  constructor(sizes, steps, kernels) {
    Object.assign(this, sizes, { steps, padded: 4 * Math.ceil(sizes.numClasses / 4), updates: 0 });
    const { numLayers, lstmSize: L, padded: P } = this;
    this.layers = Array.from({ length: numLayers }, (_, layer) => ({
      kernel: `kernel_${layer}`,
      bias: `bias_${layer}`,
      reads: layer ? 2 * L : L,
    }));
    this.shapes = { table: [sizes.numClasses, 4 * L], softmax_kernel: [P, L], softmax_bias: [P] };
    for (const { kernel, bias, reads } of this.layers) {
      Object.assign(this.shapes, { [kernel]: [4 * L, reads], [bias]: [4 * L] });
    }
    const weights = Object.values(this.shapes).reduce((sum, shape) => sum + productOf(shape), 0);
    const width = TEXTS * L;
    const rows = (steps + numLayers) * numLayers;
    const numbers =
      5 * weights + (rows + numLayers * (5 * steps + 3)) * width + TEXTS * (steps * (P + 1) + 1);
    const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * numbers) / 65536) });
    Object.assign(this, kernelOf(kernels, memory), { width });
    let top = 0;
    const take = (length, Type = Float32Array) => {
      const view = new Type(memory.buffer, top, length);
      top += view.byteLength;
      return view;
    };
    [this.weights, this.gradients, this.averages, this.squares] = [0, 1, 2, 3].map(() =>
      take(weights),
    );
    [this.arrays, this.slopes] = [this.weights, this.gradients].map((set) => this.partsOf(set));
    this.transposed = Object.fromEntries(
      ["softmax_kernel", ...this.layers.map(({ kernel }) => kernel)].map((name) => [
        name,
        take(productOf(this.shapes[name])),
      ]),
    );
    // h of a layer after a step is in row step + layer + 1, beside that of the layer below: what a layer reads is together
    this.inputs = take(rows * width);
    for (const layer of this.layers) {
      // activated gates of each step; c before each step, and after the last one
      Object.assign(layer, { gates: take(4 * steps * width), memory: take((steps + 1) * width) });
    }
    [this.dh, this.dc] = [0, 0].map(() => take(numLayers * width));
    this.outputs = take(steps * P * TEXTS);
    [this.ids, this.noIds] = [steps * TEXTS, TEXTS].map((length) => take(length, Int32Array));
  }

  partsOf(set) {
    let from = 0;
    return Object.fromEntries(
      Object.entries(this.shapes).map(([name, shape]) => {
        from += productOf(shape);
        return [name, set.subarray(from - productOf(shape), from)];
      }),
    );
  }

  /** Return where in the memory a number of an array is. */
  at(view, offset = 0) {
    return view.byteOffset + 4 * offset;
  }

  /** Return where in `inputs` the outputs of a layer after a step are; those after step -1 are the state before. */
  rowOf(layer, step) {
    return ((step + layer + 1) * this.layers.length + layer) * this.width;
  }

  /** Return where in `inputs` what a layer reads at a step begins. */
  readBy(layer, step) {
    return this.rowOf(Math.max(0, layer - 1), layer ? step : -1 + step);
  }

  /** Set the state to zeros, as at the beginning of an epoch. */
  reset() {
    this.inputs.fill(0);
    for (const { memory } of this.layers) {
      memory.fill(0);
    }
  }

  /** Read a window, ids [M, N], and return the mean loss of guessing `targets`, the characters that follow. */
  read(ids, targets) {
    const { lstmSize: L, padded: P, width, layers, arrays, inputs, outputs, run } = this;
    this.ids.set(ids);
    for (const sums of [outputs, ...layers.map(({ gates }) => gates)]) {
      sums.fill(0);
    }
    for (let step = 0; step < this.steps; step++) {
      for (const [index, { kernel, bias, reads, gates, memory }] of layers.entries()) {
        const place = this.at(gates, 4 * step * width);
        this.addBias(arrays[bias], gates, 4 * step * width);
        if (index === 0) {
          run.addRows(this.at(arrays.table), this.at(this.ids, step * TEXTS), place, 4 * L, 0);
        }
        run.addProduct(
          this.at(arrays[kernel]),
          this.at(inputs, this.readBy(index, step)),
          place,
          4 * L,
          reads,
        );
        run.forward(
          place,
          this.at(memory, step * width),
          this.at(memory, (step + 1) * width),
          this.at(inputs, this.rowOf(index, step)),
          4 * width,
        );
      }
      this.addBias(arrays.softmax_bias, outputs, step * P * TEXTS);
      run.addProduct(
        this.at(arrays.softmax_kernel),
        this.at(inputs, this.rowOf(layers.length - 1, step)),
        this.at(outputs, step * P * TEXTS),
        P,
        L,
      );
    }
    return this.expect(targets);
  }

  /** Add a bias to each column of a matrix [rows, N], or with `isBack`, for its gradient, each column to it: it is a table
   * of one row, the same for all texts. */
  addBias(bias, view, from, isBack = 0) {
    this.run.addRows(this.at(bias), this.at(this.noIds), this.at(view, from), bias.length, isBack);
  }

  /** Turn the logits in `outputs` into the gradient of the mean loss of the window, which is returned. */
  expect(targets) {
    const { numClasses, padded: P, outputs } = this;
    let loss = 0;
    for (const [place, target] of targets.entries()) {
      const [step, n] = [Math.floor(place / TEXTS), place % TEXTS];
      const [from, end] = [step * P * TEXTS + n, (step * P + numClasses) * TEXTS];
      const own = from + target * TEXTS;
      let [most, sum] = [-Infinity, 0];
      for (let each = from; each < end; each += TEXTS) {
        most = Math.max(most, outputs[each]);
      }
      loss += most - outputs[own];
      for (let each = from; each < end; each += TEXTS) {
        outputs[each] = Math.exp(outputs[each] - most);
        sum += outputs[each];
      }
      loss += Math.log(sum);
      for (let each = from; each < end; each += TEXTS) {
        outputs[each] /= sum * targets.length;
      }
      outputs[own] -= 1 / targets.length;
    }
    return loss / targets.length;
  }

  /** Compute the gradients of the mean loss of the window that was read. */
  differentiate() {
    const {
      lstmSize: L,
      padded: P,
      width,
      layers,
      slopes,
      inputs,
      outputs,
      dh,
      dc,
      run,
      steps,
    } = this;
    const top = layers.length - 1;
    for (const [name, view] of Object.entries(this.transposed)) {
      // so that the way back reads from left to right as well
      transposed(this.arrays[name], this.shapes[name][0], view);
    }
    for (const each of [
      dh,
      dc,
      slopes.table,
      slopes.softmax_bias,
      ...layers.map(({ bias }) => slopes[bias]),
    ]) {
      each.fill(0);
    }
    for (let step = steps - 1; step >= 0; step--) {
      run.addProduct(
        this.at(this.transposed.softmax_kernel),
        this.at(outputs, step * P * TEXTS),
        this.at(dh, top * width),
        L,
        P,
      );
      this.addBias(slopes.softmax_bias, outputs, step * P * TEXTS, 1);
      for (let index = top; index >= 0; index--) {
        const { kernel, bias, reads, gates, memory } = layers[index];
        const place = this.at(gates, 4 * step * width);
        run.backward(
          place,
          this.at(memory, step * width),
          this.at(memory, (step + 1) * width),
          this.at(dh, index * width),
          this.at(dc, index * width),
          4 * width,
        );
        dh.fill(0, index * width, (index + 1) * width); // and it becomes that of the step before
        run.addProduct(
          this.at(this.transposed[kernel]),
          place,
          this.at(dh, Math.max(0, index - 1) * width),
          reads,
          4 * L,
        );
        this.addBias(slopes[bias], gates, 4 * step * width, 1);
      }
      run.addRows(
        this.at(slopes.table),
        this.at(this.ids, step * TEXTS),
        this.at(layers[0].gates, 4 * step * width),
        4 * L,
        1,
      );
    }
    const apart = 4 * layers.length * width; // from a row of inputs to the next
    for (const [index, { kernel, reads, gates }] of layers.entries()) {
      run.outerProduct(
        this.at(gates),
        this.at(inputs, this.readBy(index, 0)),
        this.at(slopes[kernel]),
        4 * L,
        reads,
        steps,
        16 * width,
        apart,
      );
    }
    run.outerProduct(
      this.at(outputs),
      this.at(inputs, this.rowOf(top, 0)),
      this.at(slopes.softmax_kernel),
      P,
      L,
      steps,
      4 * P * TEXTS,
      apart,
    );
  }

  /** Have the next window go on from the state after this one. */
  carry() {
    const { width, steps } = this;
    for (const [index, { memory }] of this.layers.entries()) {
      memory.copyWithin(0, steps * width);
      this.inputs.copyWithin(
        this.rowOf(index, -1),
        this.rowOf(index, steps - 1),
        this.rowOf(index, steps - 1) + width,
      );
    }
  }

  /** Change the weights by Adam, after the norm of all gradients was clipped. */
  update(rate, gradClip) {
    let sum = 0;
    for (let place = 0; place < this.gradients.length; place++) {
      sum += this.gradients[place] ** 2;
    }
    this.updates++;
    const corrected = (rate * Math.sqrt(1 - 0.999 ** this.updates)) / (1 - 0.9 ** this.updates);
    this.run.adam(
      this.at(this.weights),
      4 * this.weights.length,
      gradClip / Math.max(Math.sqrt(sum), gradClip),
      corrected,
    );
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
    const arrays = this.partsOf(weights);
    const {
      shapes,
      numClasses,
      layers: { length: numLayers },
      lstmSize,
    } = this;
    const shown = { ...shapes, softmax_kernel: [numClasses, lstmSize], softmax_bias: [numClasses] };
    return {
      numLayers,
      lstmSize,
      arrays: Object.fromEntries(
        Object.entries(shown).map(([name, shape]) => [
          name,
          { type: "float32", shape, data: arrays[name].subarray(0, productOf(shape)) },
        ]),
      ),
    };
  }
}
