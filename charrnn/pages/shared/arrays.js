/* Arrays of numbers: how long they are, and a matrix the other way round. */

/** Return how many numbers an array of a shape has. */
export function productOf(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** Return a matrix with a number of rows transposed. */
export function transposed(matrix, rows, target = new Float32Array(matrix.length)) {
  const columns = matrix.length / rows;
  let from = 0;
  for (let row = 0; row < rows; row++) {
    let to = row;
    for (let column = 0; column < columns; column++) {
      target[to] = matrix[from];
      from++;
      to += rows;
    }
  }
  return target;
}
