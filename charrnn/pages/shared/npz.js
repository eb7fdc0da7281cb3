/* Files that charrnn and the page exchange, see charrnn/checkpoints/weights.py. A .npz is a zip file of arrays that are not
 * compressed, each a .npy file. Its comment is the SHA-256 of all bytes before it, in hexadecimal. */
import { halfValue } from "./engine.js";
import { transposed } from "./arrays.js";

const NO_WEIGHTS = ["about", "words", "text", "hashes"];
const DIGEST = 64; // characters of the comment
const DAMAGED = "The file is damaged, or no model of charrnn.";

// A zip file has for each of its files a local file header, its name and its bytes. Then comes the central directory, with a
// header and the name again for each file, and at last the end of central directory record with the comment. These are the
// names of PKWARE's specification, APPNOTE.TXT. Signatures come first in each of the three.
const LOCAL_FILE_HEADER = 0x04034b50;
const CENTRAL_DIRECTORY_HEADER = 0x02014b50;
const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const ZIP_VERSION = 20; // 2.0
const FIRST_OF_JANUARY_1980 = 0x21;

// How long they are without names and comments, in bytes, and where their fields begin.
const LOCAL = { size: 30, fileNameLength: 26, extraFieldLength: 28 };
const CENTRAL = {
  size: 46,
  compressedSize: 20,
  fileNameLength: 28,
  extraFieldLength: 30,
  fileCommentLength: 32,
  localHeaderOffset: 42,
};
const END = { size: 22, entries: 10, directoryOffset: 16 };

// A .npy file begins with a magic string, a version and the length of its header: see numpy.lib.format.
const NPY_MAGIC = [0x93, ...encoded("NUMPY")];
const NPY_VERSION = [1, 0];
const NPY_LENGTH_AT = 8;
const NPY_HEADER_AT = 10;
const NPY_ALIGNMENT = 64; // the array begins at a multiple of it
const STORED_TYPES = {
  "<f4": Float32Array,
  "<f2": Uint16Array,
  "|i1": Int8Array,
  "|u1": Uint8Array,
};
const SCALES = "/scales of int8, which charrnn 4.0 or later reads,"; // after the name of their matrix

function encoded(text) {
  return new TextEncoder().encode(text);
}

function decoded(bytes) {
  return new TextDecoder().decode(bytes);
}

async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("Files need a page that is opened from disk or by https.");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the checksum of a file in a zip file. */
function crc32(bytes) {
  let sum = -1;
  for (let place = 0; place < bytes.length; place++) {
    sum ^= bytes[place];
    for (let bit = 0; bit < 8; bit++) {
      sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
    }
  }
  return ~sum >>> 0;
}

/** Return a number as two bytes, little-endian. */
function uint16(number) {
  return Uint8Array.of(number, number >>> 8);
}

/** Return a number as four bytes, little-endian. */
function uint32(number) {
  return Uint8Array.of(number, number >>> 8, number >>> 16, number >>> 24);
}

/** Return an array {shape, data} as a .npy file. */
function packArray({ shape, data }) {
  const type = data instanceof Uint8Array ? "|u1" : "<f4";
  const comma = shape.length === 1 ? "," : "";
  const tuple = `(${shape.join(", ")}${comma})`;
  const dictionary = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;

  // Spaces fill the header up, and a line end closes it.
  const least = NPY_HEADER_AT + dictionary.length + 1;
  const start = NPY_ALIGNMENT * Math.ceil(least / NPY_ALIGNMENT);
  const header = `${dictionary.padEnd(start - NPY_HEADER_AT - 1)}\n`;

  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([...NPY_MAGIC, ...NPY_VERSION, ...uint16(header.length)]);
  bytes.set(encoded(header), NPY_HEADER_AT);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/** Return the parts of a zip file that a file in it needs: {local, central}, each a list of bytes.
 * @param {number} offset where its local file header is */
function zipEntry(name, bytes, offset) {
  const fileName = encoded(name);
  const size = uint32(bytes.length);
  const common = Object.values({
    versionNeeded: uint16(ZIP_VERSION),
    flags: uint16(0),
    compressionMethod: uint16(0),
    modificationTime: uint16(0),
    modificationDate: uint16(FIRST_OF_JANUARY_1980),
    crc32: uint32(crc32(bytes)),
    compressedSize: size,
    uncompressedSize: size,
    fileNameLength: uint16(fileName.length),
    extraFieldLength: uint16(0),
  });
  const onlyCentral = Object.values({
    fileCommentLength: uint16(0),
    diskNumber: uint16(0),
    internalAttributes: uint16(0),
    externalAttributes: uint32(0),
    localHeaderOffset: uint32(offset),
  });

  const versionMadeBy = uint16(ZIP_VERSION);
  return {
    local: [uint32(LOCAL_FILE_HEADER), ...common, fileName, bytes],
    central: [uint32(CENTRAL_DIRECTORY_HEADER), versionMadeBy, ...common, ...onlyCentral, fileName],
  };
}

/** Return the end of the central directory, without the comment. */
function endOfDirectory(entries, directorySize, directoryOffset) {
  const fields = Object.values({
    diskNumber: uint16(0),
    diskOfDirectory: uint16(0),
    entriesOnDisk: uint16(entries),
    entries: uint16(entries),
    directorySize: uint32(directorySize),
    directoryOffset: uint32(directoryOffset),
    commentLength: uint16(DIGEST),
  });
  return [uint32(END_OF_CENTRAL_DIRECTORY), ...fields];
}

function lengthOfAll(parts) {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Return a .npz file.
 * @param {Map<string, {shape: number[], data: Float32Array}>} variables by name
 * @param {{vocabulary: string}} about */
export async function packNpz(variables, about) {
  const description = encoded(JSON.stringify(about));
  const arrays = [["about", { shape: [description.length], data: description }], ...variables];
  const files = [];
  const directory = [];
  let offset = 0;
  for (const [name, array] of arrays) {
    const { local, central } = zipEntry(`${name}.npy`, packArray(array), offset);
    files.push(...local);
    directory.push(...central);
    offset += lengthOfAll(local);
  }

  const end = endOfDirectory(arrays.length, lengthOfAll(directory), offset);
  const content = await new Blob([...files, ...directory, ...end]).arrayBuffer();
  const comment = await sha256(content);
  return new Blob([content, comment]).arrayBuffer();
}

/** Return the float32 arrays of a .npz file, a Map from a name to {shape, data}, and what it says about them.
 * @throws {Error} the file is damaged, or of another kind */
export async function unpackNpz(bytes) {
  const commentAt = bytes.length - DIGEST;
  if (commentAt < END.size) {
    throw new Error(DAMAGED);
  }
  const digest = await sha256(bytes.slice(0, commentAt));
  if (digest !== decoded(bytes.subarray(commentAt))) {
    throw new Error(DAMAGED);
  }

  const variables = unpackZip(bytes, commentAt - END.size);
  const about = JSON.parse(decoded(variables.get("about").data));
  for (const name of NO_WEIGHTS) {
    variables.delete(name);
  }
  multiplyScales(variables);
  return { variables, about };
}

/** Turn the matrices in int8 into float32: each column has a scale, in an array of its own. */
function multiplyScales(variables) {
  for (const [name, { shape, data: bytes }] of variables) {
    const scales = variables.get(name + SCALES)?.data;
    if (scales === undefined) {
      continue;
    }
    const data = Float32Array.from(bytes, (byte, place) => byte * scales[place % scales.length]);
    variables.set(name, { shape, data });
    variables.delete(name + SCALES);
  }
}

/** Return the arrays of a zip file by name. `end` is where the end of central directory record begins. */
function unpackZip(bytes, end) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const numberAt = (place) => view.getUint32(place, true);
  const shortAt = (place) => view.getUint16(place, true);

  const arrays = new Map();
  const entries = shortAt(end + END.entries);
  let central = numberAt(end + END.directoryOffset);
  for (let entry = 0; entry < entries; entry++) {
    const size = numberAt(central + CENTRAL.compressedSize);
    const local = numberAt(central + CENTRAL.localHeaderOffset);
    const from =
      local +
      LOCAL.size +
      shortAt(local + LOCAL.fileNameLength) +
      shortAt(local + LOCAL.extraFieldLength);

    const nameAt = central + CENTRAL.size;
    const nameEnd = nameAt + shortAt(central + CENTRAL.fileNameLength);
    const name = decoded(bytes.subarray(nameAt, nameEnd)).replace(/\.npy$/, "");
    arrays.set(name, unpackArray(bytes.slice(from, from + size)));

    central =
      nameEnd +
      shortAt(central + CENTRAL.extraFieldLength) +
      shortAt(central + CENTRAL.fileCommentLength);
  }
  return arrays;
}

/** Return the array of a .npy file, {shape, data}; float16 becomes float32. */
function unpackArray(bytes) {
  const headerLength = new DataView(bytes.buffer).getUint16(NPY_LENGTH_AT, true);
  const start = NPY_HEADER_AT + headerLength;
  const header = decoded(bytes.subarray(NPY_HEADER_AT, start));
  const [, type] = /'descr': '(<f4|<f2|\|[iu]1)'/.exec(header);
  const [, tuple] = /'shape': \(([\d, ]*)\)/.exec(header);
  const shape = tuple
    .split(",")
    .filter((length) => length.trim() !== "")
    .map(Number);

  let data = new STORED_TYPES[type](bytes.slice(start).buffer);
  if (type === "<f2") {
    data = Float32Array.from(data, halfValue);
  }
  const isByColumns = header.includes("'fortran_order': True") && shape.length > 1;
  if (isByColumns) {
    data = transposed(data, shape[1]);
  }
  return { shape, data };
}
