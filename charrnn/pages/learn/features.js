/* What a memory may have of a text, in a few features that a young network finds: those of charrnn/text/features.py that have
 * the same names; and the probes that read them, as in charrnn/engines/directions.py. Pure functions; `characters` is an
 * array. Letters for shapes: T characters, D numbers in the memories of all layers. */
import { dotProduct, meanOf } from "../shared/numbers.js";

const LEAST_TIMES = 20; // for a feature to occur in a text
const LEAST_SHARE = 0.002;
const RIDGE = 30; // how strongly a probe is kept small

/** A feature that has to be remembered: its name, what a reader calls its least and its most, and a function from characters
 * to its values. */
export const FEATURES = [
  [
    "inside quotation marks",
    ["outside quotes", "in quotes"],
    inside(
      '""',
      "\u201c\u201d",
      "\u201d\u201d",
      "\u201e\u201c\u201d",
      "\u00ab\u00bb",
      "\u00bb\u00ab",
      "\u2018\u2019",
    ),
  ],
  ["inside brackets", ["outside", "in brackets"], inside("()", "[]", "{}")],
  ["position in the line", ["line start", "far along"], distances(/\n/)],
  ["distance since the last space", ["word start", "long word"], distances(/\s/)],
];

/** Return a function from characters to how many there are since the last one that matches, or since the beginning. */
function distances(pattern) {
  return (characters) => {
    let last = -1;
    return characters.map((char, place) => {
      if (pattern.test(char)) {
        last = place;
      }
      return place - last;
    });
  };
}

/** Return a function from characters to 1 inside one of some pairs, else 0. A pair is what opens it, and then what may close
 * it, but not between two letters, where it is an apostrophe. The end of a paragraph closes all of them: a blank line, or any line end of a text without one. */
function inside(...pairs) {
  const closersOf = new Map(pairs.map(([opener, ...closers]) => [opener, closers]));
  return (characters) => {
    const isBlank = (char, place) => char === "\n" && characters[place - 1] === "\n";
    const hasBlanks = characters.some(isBlank);
    let open = [];
    return characters.map((char, place) => {
      const around = `${characters[place - 1]}${characters[place + 1]}`;
      const isApostrophe = char === "\u2019" && /^\p{L}\p{L}$/u.test(around);
      const isClosing = !isApostrophe && open.at(-1)?.includes(char);
      const endsParagraph = hasBlanks ? isBlank(char, place) : char === "\n";
      if (isClosing) {
        open.pop();
      } else if (closersOf.has(char)) {
        open.push(closersOf.get(char));
      } else if (endsParagraph) {
        open = [];
      }
      return open.length > 0 ? 1 : 0;
    });
  };
}

/** Return whether the values of a feature differ often enough to be tracked. */
function occurs(values) {
  const most = Math.max(...values);
  const above = values.filter((value) => value > 0).length;
  const below = values.filter((value) => value < most).length;
  return Math.min(above, below) >= Math.max(LEAST_TIMES, LEAST_SHARE * values.length);
}

/** Return the features that occur in the first part of a text: {name, ends, fitted, measured}, with the values in this part,
 * on which probes are fitted, and in another one, on which they are measured. What opens before the parts counts.
 * @param {number[]} fittedPart its first place, and the one after its last @param {number[]} measuredPart as well */
export function propertiesOf(characters, fittedPart, measuredPart) {
  const properties = FEATURES.map(([name, ends, valuesOf]) => {
    const values = valuesOf(characters);
    return {
      name,
      ends,
      fitted: values.slice(...fittedPart),
      measured: values.slice(...measuredPart),
    };
  });
  return properties.filter(({ fitted }) => occurs(fitted));
}

/** Return the mean of rows [T, D], those for which `isOne(row)` is true. */
function meanRow(rows, isOne = () => true) {
  const chosen = rows.filter((_, row) => isOne(row));
  const mean = new Float64Array(rows[0].length);
  for (const row of chosen) {
    row.forEach((value, place) => {
      mean[place] += value / chosen.length;
    });
  }
  return mean;
}

/** Return what solves ridge regressions on rows [T, D]: a function from values [T] to a probe [D]. With many columns it takes
 * seconds: `goesOn` is called again and again, so that other work can be done meanwhile. */
async function ridge(rows, goesOn) {
  const mean = meanRow(rows);
  const centered = rows.map((row) => Float64Array.from(row, (value, place) => value - mean[place]));
  const columns = Array.from(mean, (_, column) =>
    Float64Array.from(centered, (row) => row[column]),
  );

  // The lower triangle of the factor of Cholesky.
  const factor = [];
  for (let row = 0; row < columns.length; row++) {
    factor.push(new Float64Array(row + 1));
    for (let column = 0; column <= row; column++) {
      const isDiagonal = row === column;
      let rest = dotProduct(columns[row], columns[column]) + (isDiagonal ? RIDGE : 0);
      for (let before = 0; before < column; before++) {
        rest -= factor[row][before] * factor[column][before];
      }
      factor[row][column] = isDiagonal ? Math.sqrt(rest) : rest / factor[column][column];
    }
    await goesOn();
  }

  return (values) => {
    const solution = Float64Array.from(columns, (column) => dotProduct(column, values));
    for (let row = 0; row < solution.length; row++) {
      for (let before = 0; before < row; before++) {
        solution[row] -= factor[row][before] * solution[before];
      }
      solution[row] /= factor[row][row];
    }
    for (let row = solution.length - 1; row >= 0; row--) {
      for (let after = row + 1; after < solution.length; after++) {
        solution[row] -= factor[after][row] * solution[after];
      }
      solution[row] /= factor[row][row];
    }
    return solution;
  };
}

/** Return the correlation of two arrays, 0 where one does not vary. */
function correlationOf(left, right) {
  const centered = [left, right].map((values) => {
    const mean = meanOf(values);
    return Float64Array.from(values, (value) => value - mean);
  });
  const [a, b] = centered;
  const scale = Math.sqrt(dotProduct(a, a) * dotProduct(b, b));
  return scale > 0 ? dotProduct(a, b) / scale : 0;
}

/** Return a direction of the memory for each of some properties, {name, ends, correlation, probe, move, outside, inside}: see
 * setDirections in engine.js.
 * @param {Object[]} properties from propertiesOf @param {Float32Array[]} fittedMemories [T, D], after each character of the
 * one part @param {Float32Array[]} measuredMemories of the other @param {Function} goesOn see ridge */
export async function directionsOf(properties, fittedMemories, measuredMemories, goesOn) {
  const probeOf = await ridge(fittedMemories, goesOn);
  return properties.map(({ name, ends, fitted: values, measured }) => {
    const mean = meanOf(values);
    const probe = probeOf(values.map((value) => value - mean));
    const meanInside = meanRow(fittedMemories, (row) => values[row] > mean);
    const meanOutside = meanRow(fittedMemories, (row) => values[row] <= mean);
    const outside = dotProduct(probe, meanOutside);
    const inside = dotProduct(probe, meanInside);
    const span = inside - outside || 1;

    const readings = measuredMemories.map((memory) => dotProduct(probe, memory));
    return {
      name,
      ends,
      correlation: correlationOf(readings, measured),
      probe,
      move: meanInside.map((value, place) => (value - meanOutside[place]) / span),
      outside,
      inside,
    };
  });
}
