/* The functions of learn.wat in plain JavaScript, for browsers without WebAssembly or SIMD. Places and widths are counted
 * in numbers, not in bytes. `memory` has all numbers: float32, or float64 for a test that wants more digits. */
import { TEXTS } from "./trainer.js";
import { sigmoid } from "../page/engine.js";

export const plainKernel = (memory) => ({
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
        for (let t = 0, left = a + row * TEXTS, right = b + k * TEXTS; t < steps; t++, left += stepA, right += stepB) {
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
      for (let row = 0, p = table + memory[ids + n] * rows, q = y + n; row < rows; row++, p++, q += TEXTS) {
        memory[isBack ? p : q] = memory[p] + memory[q];
      }
    }
  },

  forward(i, before, c, h, width) {
    for (let k = 0; k < width; k++) {
      for (let gate = 0; gate < 4; gate++) {
        const place = i + gate * width + k;
        memory[place] = gate === 1 ? Math.tanh(memory[place]) : sigmoid(memory[place]);
      }
      const [j, f, o] = [1, 2, 3].map((gate) => memory[i + gate * width + k]);
      memory[c + k] = f * memory[before + k] + memory[i + k] * j;
      memory[h + k] = o * Math.tanh(memory[c + k]);
    }
  },

  backward(gates, before, c, dh, d, width) {
    for (let k = 0; k < width; k++) {
      const [i, j, f, o] = [0, 1, 2, 3].map((gate) => memory[gates + gate * width + k]);
      const shown = Math.tanh(memory[c + k]);
      const slope = memory[d + k] + memory[dh + k] * o * (1 - shown * shown);
      [slope * j * i * (1 - i), slope * i * (1 - j * j), slope * memory[before + k] * f * (1 - f),
        memory[dh + k] * shown * o * (1 - o)].forEach((value, gate) => {
        memory[gates + gate * width + k] = value;
      });
      memory[d + k] = slope * f;
    }
  },

  adam(p, width, factor, rate) {
    for (let place = p, m = p + 2 * width, v = m + width; place < p + width; place++, m++, v++) {
      const gradient = factor * memory[place + width];
      memory[m] += 0.1 * (gradient - memory[m]);
      memory[v] += 0.001 * (gradient * gradient - memory[v]);
      memory[place] -= (rate * memory[m]) / (Math.sqrt(memory[v]) + 1e-8);
    }
  },
});
