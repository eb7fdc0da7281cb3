/* What units may track, in the few features that a young network finds: those of charrnn/inspection/features.py that have
 * the same name. `characters` is an array of them. */
"use strict";
const [LEAST_TIMES, LEAST_SHARE, LEAST_CORRELATION, LEAST_ABOVE] = [20, 0.002, 0.3, 0.2]; // as in charrnn/inspection

/** Return a function from characters to 1 inside one of some pairs, else 0. The end of a paragraph closes them. */
function inside(...pairs) {
  const closing = new Map(pairs.map(([opens, closes]) => [opens, closes]));
  return (characters) => {
    let open = [];
    return characters.map((char, place) => {
      if (open.length && char === open.at(-1)) {
        open.pop();
      } else if (closing.has(char)) {
        open.push(closing.get(char));
      } else if (char === "\n" && characters[place - 1] === "\n") {
        open = [];
      }
      return Math.min(open.length, 1);
    });
  };
}

const FEATURES = [
  ["after a space or line end", ["in a word", "space"], (characters) => characters.map((char) => Number(/\s/.test(char)))],
  ["after a capital letter", ["other letters", "capital"], (characters) => (
    characters.map((char) => Number(/[\p{Lu}\p{Lt}]/u.test(char))))],
  ["inside quotation marks", ["narration", "speech"], inside('""', "\u201c\u201d", "\u00ab\u00bb")],
  ["inside brackets", ["outside", "in brackets"], inside("()", "[]", "{}")],
  ["position in the line", ["line start", "far along"], (characters) => (
    characters.map((_, place) => place - characters.lastIndexOf("\n", place)))],
].map(([name, ends, values]) => ({ name, ends, values }));

/** The units compared with the features of a text, as far as it was read. They are chosen on its first half, and measured on
 * the second. */
class Comparison {
  constructor(characters, units) {
    this.half = characters.length / 2;
    this.features = FEATURES.map((feature) => ({ ...feature, values: feature.values(characters) })).filter(({ values }) => {
      const [positive, below] = [0, Math.max(...values)].map((limit, index) => (
        values.filter((value) => (index ? value < limit : value > 0)).length));
      return Math.min(positive, below) >= Math.max(LEAST_TIMES, LEAST_SHARE * values.length);
    });
    const columns = [...this.features.map(({ values }) => values), characters.map(() => 1)];
    this.parts = [0, 1].map(() => columns.map((values) => ({ values, own: 0, squares: 0, count: 0, products: new Float64Array(units) })));
    this.squares = [0, 1].map(() => new Float64Array(units));
    this.limits = [new Int8Array(units).fill(127), new Int8Array(units).fill(-127)];
  }

  /** Add what a character, at a place, left in the units: int8 [units]. */
  add(place, activations) {
    const part = Number(place >= this.half);
    const squares = this.squares[part];
    for (const sums of this.parts[part]) {
      const value = sums.values[place];
      sums.own += value;
      sums.squares += value * value;
      sums.count++;
      for (let unit = 0; value && unit < activations.length; unit++) {
        sums.products[unit] += value * activations[unit];
      }
    }
    for (let unit = 0; unit < activations.length; unit++) {
      squares[unit] += activations[unit] * activations[unit];
      if (part) {
        this.limits[0][unit] = Math.min(this.limits[0][unit], activations[unit]);
        this.limits[1][unit] = Math.max(this.limits[1][unit], activations[unit]);
      }
    }
  }

  correlation(part, index, unit) {
    const sums = this.parts[part][index];
    const total = this.parts[part].at(-1).products[unit]; // of the activations
    const variances = (sums.squares - sums.own ** 2 / sums.count) * (this.squares[part][unit] - total ** 2 / sums.count);
    return variances > 1e-6 ? (sums.products[unit] - (sums.own * total) / sums.count) / Math.sqrt(variances) : 0;
  }

  /** Return for each feature of the text the best unit: {name, ends, offset, correlation, limits}. */
  best() {
    return this.features.map(({ name, ends }, index) => {
      const chosenBy = Array.from(this.squares[0], (_, unit) => Math.abs(this.correlation(0, index, unit)));
      const offset = chosenBy.indexOf(Math.max(...chosenBy));
      return { name, ends, offset, correlation: this.correlation(1, index, offset), limits: this.limits.map((each) => each[offset]) };
    });
  }
}
