/* Numbers as the pages show them. Pure functions. */

const LEAST_RANGE = 0.02; // of a unit: below it there is no meaning

/** Return a share in [0, 1] as a percentage, short enough for a column. */
export function percent(share) {
  if (share === 1) {
    return "100%";
  }
  if (share >= 0.995) {
    return ">99%";
  }
  if (share > 0 && share < 0.005) {
    return "<1%";
  }
  return `${Math.round(100 * share)}%`;
}

/** Return a number as people write it, 1,234. */
export function grouped(number) {
  const digits = Math.round(number).toString();
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Return a number with its sign, and two decimals. What these make zero has no sign. */
export function signed(number) {
  const size = Math.abs(number).toFixed(2);
  if (Number(size) === 0) {
    return size;
  }
  const sign = number < 0 ? "\u2212" : "+";
  return sign + size;
}

/** Return a number of things: 1 character, 2 characters. */
export function counted(number, thing) {
  const ending = number === 1 ? "" : "s";
  return `${grouped(number)} ${thing}${ending}`;
}

/** Return a value in a range as -1 for the least, 1 for the most; 0 where the range is too small for a meaning. */
export function scaled(value, [least, most]) {
  const range = most - least;
  if (range < LEAST_RANGE) {
    return 0;
  }
  return (2 * (value - least)) / range - 1;
}

export function meanOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

export function dotProduct(left, right) {
  let sum = 0;
  for (let place = 0; place < left.length; place++) {
    sum += left[place] * right[place];
  }
  return sum;
}

/** Return the number that is nearest to a value and neither below the least nor above the most. */
export function clamped(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
