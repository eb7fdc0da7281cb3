/* From what the network expects to a character: the same rules as charrnn/engines/decoding.py.
 * The page shows what the settings leave of a distribution, and the worker draws from it, so both have this file.
 * Numbers are rounded to float32 where NumPy rounds them: the same settings keep the same characters. */
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
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Return the powers of the characters that the settings keep, and 0 for the others.
 * The temperature comes first, then topN (how many of the most probable are kept), then topP (the fewest of those that
 * have this share of their sum). Characters as probable as the last one kept are kept too. */
export function keptPowers(logits, { temperature, topN, topP }) {
  const powers = powersOf(logits, temperature);
  if (topN >= powers.length && topP >= 1) {
    return powers;
  }
  const largest = Float32Array.from(powers).sort().reverse().subarray(0, topN);
  let least = largest[largest.length - 1];
  if (topP < 1) {
    const total = largest.reduce((sum, power) => sum + power, 0);
    let before = 0;
    for (const power of largest) {
      if (before >= topP * total) {
        break;
      }
      least = power;
      before += power;
    }
  }
  return powers.map((power) => (power >= least ? power : 0));
}

/** Return the id that a number in [0, 1) draws: the inverse of the cumulative distribution in the order of ids. */
export function drawId(powers, uniform) {
  const sums = new Float64Array(powers.length);
  let sum = 0;
  for (let id = 0; id < powers.length; id++) {
    sum += powers[id];
    sums[id] = sum;
  }
  return Math.max(
    0,
    sums.findIndex((each) => each > uniform * sum),
  );
}

/** Return the ids of the `count` largest values, the largest first; of equal ones the lower id first. */
export function largestIds(values, count) {
  const found = [];
  values.forEach((value, id) => {
    if (found.length < count || value > values[found[count - 1]]) {
      let place = Math.min(found.length, count - 1);
      for (; place > 0 && value > values[found[place - 1]]; place--) {
        found[place] = found[place - 1];
      }
      found[place] = id;
    }
  });
  return found;
}

/** The Mersenne Twister as numpy.random.RandomState seeds and uses it, so that a seed means the same here. */
export class RandomState {
  constructor(seed) {
    this.words = new Uint32Array(624);
    this.place = 624;
    this.words[0] = seed;
    for (let k = 1; k < 624; k++) {
      const last = this.words[k - 1];
      this.words[k] = Math.imul(1812433253, last ^ (last >>> 30)) + k;
    }
  }

  /** Return a float64 in [0, 1) made of 53 random bits: NumPy's random_sample. */
  randomSample() {
    const high = this.nextWord() >>> 5;
    const low = this.nextWord() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  nextWord() {
    if (this.place === 624) {
      this.renew();
    }
    let word = this.words[this.place++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  renew() {
    const words = this.words;
    for (let k = 0; k < 624; k++) {
      const mixed = (words[k] & 0x80000000) | (words[(k + 1) % 624] & 0x7fffffff);
      words[k] = words[(k + 397) % 624] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.place = 0;
  }
}
