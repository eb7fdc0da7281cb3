/* From what the network expects to a character: the same rules as charrnn/engines/decoding.py.
 * Numbers are rounded to float32 where NumPy rounds them: the same settings keep the same characters. */

function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Return the softmax of the logits divided by the temperature, but scaled so that the largest is 1, in float32. */
export function powersOf(logits, temperature = 1) {
  const powers = new Float32Array(logits.length);
  const divisor = Math.fround(temperature);
  let largest = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    powers[id] = logits[id] / divisor;
    largest = Math.max(largest, powers[id]);
  }
  for (let id = 0; id < powers.length; id++) {
    powers[id] = Math.exp(Math.fround(powers[id] - largest));
  }
  return powers;
}

/** Return an array divided by its sum. */
export function normalized(powers) {
  const sum = sumOf(powers);
  return powers.map((power) => power / sum);
}

/** Return the powers of the characters that the settings keep, and 0 for the others.
 * The temperature comes first, then top_n (how many of the most probable are kept), then top_p (the fewest of those that
 * have this share of their sum). Characters as probable as the last one kept are kept too. */
export function keptPowers(logits, { temperature, top_n: topN = logits.length, top_p: topP = 1 }) {
  const powers = powersOf(logits, temperature);
  if (topN >= powers.length && topP >= 1) {
    return powers;
  }
  const largest = Float32Array.from(powers).sort().reverse().subarray(0, topN);
  const least = topP < 1 ? leastInShare(largest, topP) : largest[largest.length - 1];
  return powers.map((power) => (power >= least ? power : 0));
}

/** Return the least of the fewest powers that have a share of the sum. The largest comes first. */
function leastInShare(powers, share) {
  const enough = share * sumOf(powers);
  let least = powers[powers.length - 1];
  let sum = 0;
  for (const power of powers) {
    if (sum >= enough) {
      break;
    }
    least = power;
    sum += power;
  }
  return least;
}

/** Return the id that a number in [0, 1) draws: the inverse of the cumulative distribution in the order of ids. */
export function drawId(powers, uniform) {
  const sums = new Float64Array(powers.length);
  let sum = 0;
  for (let id = 0; id < powers.length; id++) {
    sum += powers[id];
    sums[id] = sum;
  }
  const id = sums.findIndex((cumulative) => cumulative > uniform * sum);
  return Math.max(0, id);
}

/** Return the ids of the `count` largest values, the largest first; of equal ones the lower id first. */
export function largestIds(values, count) {
  const largest = [];
  values.forEach((value, id) => {
    const isFull = largest.length === count;
    const belongs = !isFull || value > values[largest[count - 1]];
    if (!belongs) {
      return;
    }
    // Move those that are smaller by one place, of which the last leaves a full list.
    let place = isFull ? count - 1 : largest.length;
    while (place > 0 && value > values[largest[place - 1]]) {
      largest[place] = largest[place - 1];
      place--;
    }
    largest[place] = id;
  });
  return largest;
}

const STATE_LENGTH = 624;

/** The Mersenne Twister as numpy.random.RandomState seeds and uses it, so that a seed means the same here. */
export class RandomState {
  constructor(seed) {
    this.words = new Uint32Array(STATE_LENGTH);
    this.place = STATE_LENGTH;
    this.words[0] = seed;
    for (let k = 1; k < STATE_LENGTH; k++) {
      const last = this.words[k - 1];
      this.words[k] = Math.imul(1812433253, last ^ (last >>> 30)) + k;
    }
  }

  /** Return a float64 in [0, 1) made of 53 random bits: NumPy's random_sample. */
  randomSample() {
    const high = this.nextWord() >>> 5;
    const low = this.nextWord() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  nextWord() {
    if (this.place === STATE_LENGTH) {
      this.renew();
    }
    let word = this.words[this.place];
    this.place++;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  renew() {
    const { words } = this;
    for (let k = 0; k < STATE_LENGTH; k++) {
      const next = words[(k + 1) % STATE_LENGTH];
      const mixed = (words[k] & 0x80000000) | (next & 0x7fffffff);
      const twist = mixed & 1 ? 0x9908b0df : 0;
      words[k] = words[(k + 397) % STATE_LENGTH] ^ (mixed >>> 1) ^ twist;
    }
    this.place = 0;
  }
}
