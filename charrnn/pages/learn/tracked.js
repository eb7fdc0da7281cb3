/* What units may track, in a few features that a young network finds: those of charrnn/inspection/features.py that have the
 * same names, and units.py. Pure functions; `characters` is an array. */
const [LEAST_TIMES, LEAST_SHARE] = [20, 0.002]; // for a feature to occur in a text

/** Return a function from characters to 1 inside one of some pairs, else 0. The end of a paragraph closes them. */
function inside(...pairs) {
  const closing = new Map(pairs.map(([opens, closes]) => [opens, closes]));
  return (characters) => {
    let closers = [];
    return characters.map((char, place) => {
      if (closers.length && char === closers.at(-1)) {
        closers.pop();
      } else if (closing.has(char)) {
        closers.push(closing.get(char));
      } else if (char === "\n" && characters[place - 1] === "\n") {
        closers = [];
      }
      return Math.min(closers.length, 1);
    });
  };
}

const matching = (pattern) => (characters) => characters.map((char) => Number(pattern.test(char)));
export const FEATURES = [
  ["after a space or line end", ["in a word", "space"], matching(/\s/)],
  ["after a capital letter", ["other letters", "capital"], matching(/[\p{Lu}\p{Lt}]/u)],
  ["inside quotation marks", ["narration", "speech"], inside('""', "\u201c\u201d", "\u00ab\u00bb")],
  ["inside brackets", ["outside", "in brackets"], inside("()", "[]", "{}")],
  [
    "position in the line",
    ["line start", "far along"],
    (characters) => characters.map((_, place) => place - characters.lastIndexOf("\n", place)),
  ],
];

/** Return the correlations of values with all units, over a part of a text. */
function correlationsOf(values, activations, units, from, to) {
  const mean = values.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  const [sums, squares, products] = [0, 1, 2].map(() => new Float64Array(units));
  let square = 0;
  for (let place = from, at = units * from; place < to; place++) {
    const value = values[place] - mean;
    square += value * value;
    for (let unit = 0; unit < units; unit++, at++) {
      sums[unit] += activations[at];
      squares[unit] += activations[at] * activations[at];
      products[unit] += value * activations[at];
    }
  }
  return products.map((product, unit) => {
    const variances = square * (squares[unit] - sums[unit] ** 2 / (to - from));
    return variances > 1e-6 ? product / Math.sqrt(variances) : 0;
  });
}

/** Return for each feature of a text the best unit, {name, ends, offset, correlation, limits}. `activations` is int8 [T,
 * units]. Units are chosen on the first half of the text, and measured on the second. */
export function bestUnits(characters, activations) {
  const [units, half] = [activations.length / characters.length, Math.floor(characters.length / 2)];
  return FEATURES.map(([name, ends, valuesOf]) => ({ name, ends, values: valuesOf(characters) }))
    .filter(({ values }) => {
      const most = Math.max(...values);
      const times = Math.min(
        values.filter((value) => value > 0).length,
        values.filter((value) => value < most).length,
      );
      return times >= Math.max(LEAST_TIMES, LEAST_SHARE * values.length);
    })
    .map(({ name, ends, values }) => {
      const chosenBy = correlationsOf(values, activations, units, 0, half).map(Math.abs);
      const offset = chosenBy.indexOf(Math.max(...chosenBy));
      const shown = characters.map((_, place) => activations[place * units + offset]);
      const correlation = correlationsOf(
        values,
        Int8Array.from(shown),
        1,
        half,
        characters.length,
      )[0];
      return { name, ends, offset, correlation, limits: [Math.min(...shown), Math.max(...shown)] };
    });
}
