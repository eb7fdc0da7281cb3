/* The functions of learn.wat in plain JavaScript, for browsers without WebAssembly or SIMD. Places are counted in numbers,
 * not in bytes. `memory` holds all numbers: float32, or float64 where a test wants more digits. */
"use strict";
function plainKernel(memory) {
  return {
    addProduct(m, x, y, rows, columns) {
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < columns; k++) {
          const value = memory[m + row * columns + k];
          for (let n = 0; n < TEXTS; n++) {
            memory[y + row * TEXTS + n] += value * memory[x + k * TEXTS + n];
          }
        }
      }
    },

    outerProduct(a, b, y, rows, columns, steps, stepA, stepB) {
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < columns; k++) {
          let sum = 0;
          for (let t = 0; t < steps; t++) {
            const [left, right] = [a + t * stepA + row * TEXTS, b + t * stepB + k * TEXTS];
            for (let n = 0; n < TEXTS; n++) {
              sum += memory[left + n] * memory[right + n];
            }
          }
          memory[y + row * columns + k] = sum;
        }
      }
    },

    addRows(table, ids, y, rows, isBack) {
      for (let n = 0; n < TEXTS; n++) {
        for (let row = 0; row < rows; row++) {
          const [p, q] = [table + memory[ids + n] * rows + row, y + row * TEXTS + n];
          memory[isBack ? p : q] = memory[p] + memory[q];
        }
      }
    },

    forward(i, before, c, h, width) {
      for (let k = 0; k < width; k++) {
        const fresh = Math.tanh(memory[i + width + k]);
        const [input, forget, output] = [0, 2, 3].map((gate) => sigmoid(memory[i + gate * width + k]));
        [input, fresh, forget, output].forEach((value, gate) => {
          memory[i + gate * width + k] = value;
        });
        memory[c + k] = forget * memory[before + k] + input * fresh;
        memory[h + k] = output * Math.tanh(memory[c + k]);
      }
    },

    backward(i, before, c, dh, d, width) {
      for (let k = 0; k < width; k++) {
        const [input, fresh, forget, output] = [0, 1, 2, 3].map((gate) => memory[i + gate * width + k]);
        const shown = Math.tanh(memory[c + k]);
        const slope = memory[d + k] + memory[dh + k] * output * (1 - shown * shown);
        memory[i + k] = slope * fresh * input * (1 - input);
        memory[i + width + k] = slope * input * (1 - fresh * fresh);
        memory[i + 2 * width + k] = slope * memory[before + k] * forget * (1 - forget);
        memory[i + 3 * width + k] = memory[dh + k] * shown * output * (1 - output);
        memory[d + k] = slope * forget;
      }
    },

    adam(p, width, factor, rate) {
      for (let k = p; k < p + width; k++) {
        const gradient = factor * memory[k + width];
        memory[k + 2 * width] += 0.1 * (gradient - memory[k + 2 * width]);
        memory[k + 3 * width] += 0.001 * (gradient * gradient - memory[k + 3 * width]);
        memory[k] -= (rate * memory[k + 2 * width]) / (Math.sqrt(memory[k + 3 * width]) + 1e-8);
      }
    },
  };
}
