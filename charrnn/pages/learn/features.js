/* What units may track, in a few features that a young network finds: those of charrnn/text/features.py that have the
 * same names, and units.py. Pure functions; `characters` is an array. */

const LEAST_TIMES = 20; // for a feature to occur in a text
const LEAST_SHARE = 0.002;
const LEAST_VARIANCE = 1e-6; // of a product of two variances, below which nothing correlates

/** A feature: its name, what a reader calls its least and its most, and a function from characters to its values. */
export const FEATURES = [
  ["after a space or line end", ["in a word", "space"], matching(/\s/)],
  ["after a capital letter", ["other letters", "capital"], matching(/[\p{Lu}\p{Lt}]/u)],
  ["inside quotation marks", ["narration", "speech"], inside('""', "\u201c\u201d", "\u00ab\u00bb")],
  ["inside brackets", ["outside", "in brackets"], inside("()", "[]", "{}")],
  ["position in the line", ["line start", "far along"], positionsInLine],
];

/** Return a function from characters to 1 for one that matches, else 0. */
function matching(pattern) {
  return (characters) => characters.map((char) => Number(pattern.test(char)));
}

/** Return a function from characters to 1 inside one of some pairs, else 0. The end of a paragraph closes them. */
function inside(...pairs) {
  const closerOf = new Map(pairs.map(([opener, closer]) => [opener, closer]));
  return (characters) => {
    let closers = [];
    return characters.map((char, place) => {
      const isClosing = closers.length > 0 && char === closers.at(-1);
      const endsParagraph = char === "\n" && characters[place - 1] === "\n";
      if (isClosing) {
        closers.pop();
      } else if (closerOf.has(char)) {
        closers.push(closerOf.get(char));
      } else if (endsParagraph) {
        closers = [];
      }
      return closers.length > 0 ? 1 : 0;
    });
  };
}

function positionsInLine(characters) {
  return characters.map((_, place) => place - characters.lastIndexOf("\n", place));
}

/** Return the correlations of values with all units, over a part of a text. */
function correlationsOf(values, { activations, units, from, to }) {
  const count = to - from;
  const mean = values.slice(from, to).reduce((sum, value) => sum + value, 0) / count;
  const sums = new Float64Array(units);
  const squares = new Float64Array(units);
  const products = new Float64Array(units);
  let square = 0;
  let at = units * from;
  for (let place = from; place < to; place++) {
    const value = values[place] - mean;
    square += value * value;
    for (let unit = 0; unit < units; unit++) {
      sums[unit] += activations[at];
      squares[unit] += activations[at] * activations[at];
      products[unit] += value * activations[at];
      at++;
    }
  }

  return products.map((product, unit) => {
    const variances = square * (squares[unit] - sums[unit] ** 2 / count);
    return variances > LEAST_VARIANCE ? product / Math.sqrt(variances) : 0;
  });
}

/** Return whether the values of a feature differ often enough to be tracked. */
function occurs(values) {
  const most = Math.max(...values);
  const above = values.filter((value) => value > 0).length;
  const below = values.filter((value) => value < most).length;
  return Math.min(above, below) >= Math.max(LEAST_TIMES, LEAST_SHARE * values.length);
}

/** Return for each feature of a text the best unit, {name, ends, offset, correlation, limits}. `activations` is int8 [T,
 * units]. Units are chosen on the first half of the text, and measured on the second. */
export function bestUnits(characters, activations) {
  const best = [];
  for (const [name, ends, valuesOf] of FEATURES) {
    const values = valuesOf(characters);
    if (occurs(values)) {
      best.push({ name, ends, ...bestUnit(values, activations) });
    }
  }
  return best;
}

/** Return the unit that correlates most with values, {offset, correlation, limits}. */
function bestUnit(values, activations) {
  const units = activations.length / values.length;
  const half = Math.floor(values.length / 2);
  const firstHalf = { activations, units, from: 0, to: half };
  const strengths = correlationsOf(values, firstHalf).map(Math.abs);
  const offset = strengths.indexOf(Math.max(...strengths));

  const own = Int8Array.from(values, (_, place) => activations[place * units + offset]);
  const secondHalf = { activations: own, units: 1, from: half, to: values.length };
  const [correlation] = correlationsOf(values, secondHalf);
  return { offset, correlation, limits: [Math.min(...own), Math.max(...own)] };
}
