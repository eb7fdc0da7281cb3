/* The variables of a network as charrnn names and shapes them, for files, and the arrays of a trainer. */
import { RandomState } from "./decoding.js";
import { productOf, transposed } from "./arrays.js";

const LARGEST_WEIGHT = 1e30; // as in charrnn
const SOFTMAX_KERNEL = "softmax/Variable";
const SOFTMAX_BIAS = "softmax/Variable_1";
const INITIAL_DEVIATION = 0.1; // of the softmax
const FORGET_GATE = 2; // its place in the order i, j, f, o

function kernelName(layer) {
  return `rnn/multi_rnn_cell/cell_${layer}/basic_lstm_cell/kernel`;
}

function biasName(layer) {
  return `rnn/multi_rnn_cell/cell_${layer}/basic_lstm_cell/bias`;
}

/** Return the shapes of the variables of charrnn, a Map from their names. */
function shapesOf({ numClasses, lstmSize, numLayers }) {
  const shapes = new Map();
  for (let layer = 0; layer < numLayers; layer++) {
    const inputs = layer === 0 ? numClasses : lstmSize;
    shapes.set(kernelName(layer), [inputs + lstmSize, 4 * lstmSize]);
    shapes.set(biasName(layer), [4 * lstmSize]);
  }
  shapes.set(SOFTMAX_KERNEL, [lstmSize, numClasses]);
  shapes.set(SOFTMAX_BIAS, [numClasses]);
  return shapes;
}

/** Return the sizes of a network with these variables. @throws {Error} they are no network of LSTM cells */
export function sizesOf(variables) {
  const [lstmSize, numClasses] = variables.get(SOFTMAX_KERNEL)?.shape ?? [];
  // Each layer has two variables, and so has the softmax.
  const numLayers = Math.max(1, Math.ceil(variables.size / 2 - 1));
  const sizes = { numClasses, lstmSize, numLayers };
  for (const [name, shape] of shapesOf(sizes)) {
    checkVariable(name, variables.get(name), shape);
  }
  return sizes;
}

function checkVariable(name, variable, shape) {
  const refusal = "The file has no network of LSTM cells";
  if (variable === undefined) {
    throw new Error(`${refusal}: ${name} is missing.`);
  }

  const length = productOf(shape);
  const isOfShape = String(variable.shape) === String(shape);
  if (!isOfShape || length === 0 || variable.data.length !== length) {
    throw new Error(`${refusal}: ${name} has the shape [${variable.shape}].`);
  }
  if (!variable.data.every((value) => Math.abs(value) <= LARGEST_WEIGHT)) {
    throw new Error(`The file has weights that are not finite, or too large, in ${name}.`);
  }
}

/** Return a bias of a layer with a number added for the forget gate: charrnn's cell adds 1 to it itself. */
function withForget(bias, number) {
  const lstmSize = bias.length / 4;
  return bias.map((value, row) => {
    const gate = Math.floor(row / lstmSize);
    return gate === FORGET_GATE ? value + number : value;
  });
}

/** Return weights of a trainer, in its arrays or others like them, as variables, {shape, data} by name. */
export function variablesOf(trainer, arrays = trainer.arrays) {
  const { numClasses, lstmSize, layers } = trainer;
  const values = new Map();
  for (const [layer, { kernel, bias }] of layers.entries()) {
    // charrnn's first kernel begins with a row for each character: the table.
    const table = layer === 0 ? arrays.table : [];
    const whole = new Float32Array(table.length + arrays[kernel].length);
    whole.set(table);
    transposed(arrays[kernel], 4 * lstmSize, whole.subarray(table.length));
    values.set(kernelName(layer), whole);
    values.set(biasName(layer), withForget(arrays[bias], -1));
  }

  // The trainer's softmax is filled up to a multiple of four characters.
  const softmaxKernel = arrays.softmax_kernel.subarray(0, numClasses * lstmSize);
  values.set(SOFTMAX_KERNEL, transposed(softmaxKernel, numClasses));
  values.set(SOFTMAX_BIAS, arrays.softmax_bias.slice(0, numClasses));

  const variables = new Map();
  for (const [name, shape] of shapesOf(trainer)) {
    variables.set(name, { shape, data: values.get(name) });
  }
  return variables;
}

/** Put variables into the weights of a trainer of their sizes. */
export function setVariables(trainer, variables) {
  const { lstmSize, layers, arrays } = trainer;
  for (const [layer, { kernel, bias, reads }] of layers.entries()) {
    const whole = variables.get(kernelName(layer)).data;
    if (layer === 0) {
      arrays.table.set(whole.subarray(0, arrays.table.length));
    }
    transposed(whole.subarray(-arrays[kernel].length), reads, arrays[kernel]);
    arrays[bias].set(withForget(variables.get(biasName(layer)).data, 1));
  }
  arrays.softmax_kernel.set(transposed(variables.get(SOFTMAX_KERNEL).data, lstmSize));
  arrays.softmax_bias.set(variables.get(SOFTMAX_BIAS).data);
}

/** Draw the weights that a training begins with: those of initial_weights in charrnn/training/graph.py. */
export function initialVariables(sizes, seed) {
  const random = new RandomState(seed);
  const variables = new Map();
  for (const [name, shape] of shapesOf(sizes)) {
    const draw = drawFunction(name, shape, random);
    const data = Float32Array.from({ length: productOf(shape) }, draw);
    variables.set(name, { shape, data });
  }
  return variables;
}

/** Return a function that draws a weight of a variable. */
function drawFunction(name, shape, random) {
  if (shape.length === 1) {
    return () => 0;
  }
  if (name === SOFTMAX_KERNEL) {
    return () => INITIAL_DEVIATION * truncatedNormal(random);
  }
  const [inputs, outputs] = shape;
  const limit = Math.sqrt(6 / (inputs + outputs)); // Glorot and Bengio 2010
  return () => limit * symmetric(random);
}

/** Draw a number between -1 and 1. */
function symmetric(random) {
  return 2 * random.randomSample() - 1;
}

/** Draw from the normal distribution by the method of Box and Muller, again where it is beyond two deviations. */
function truncatedNormal(random) {
  while (true) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.randomSample()));
    const value = radius * Math.cos(Math.PI * symmetric(random));
    if (Math.abs(value) <= 2) {
      return value;
    }
  }
}
