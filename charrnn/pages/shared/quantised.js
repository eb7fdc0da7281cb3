/* A network as a page holds it: matrices rounded to int8, in base64. See charrnn/pages/stored.py. */

const LARGEST = 127;
const AT_ONCE = 32768; // characters that are made of bytes at once

/** Return bytes as base64. */
export function base64Of(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let characters = "";
  for (let from = 0; from < bytes.length; from += AT_ONCE) {
    characters += String.fromCharCode(...bytes.subarray(from, from + AT_ONCE));
  }
  return btoa(characters);
}

/** Return a network of float32 arrays, what the constructor of Network takes, with its matrices in int8: each row has a scale. */
export function quantised({ arrays, ...sizes }) {
  const stored = {};
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    stored[name] =
      shape.length === 2 ? asBytes(shape, data) : { type: "float32", shape, data: base64Of(data) };
  }
  return { ...sizes, arrays: stored };
}

function asBytes(shape, data) {
  const [rows, columns] = shape;
  const bytes = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[row] = largest / LARGEST || 1;
    for (let column = 0; column < columns; column++) {
      bytes[row * columns + column] = Math.round(values[column] / scales[row]);
    }
  }
  return { type: "int8", shape, data: base64Of(bytes), scales: base64Of(scales) };
}
