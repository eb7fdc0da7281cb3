/* What a text is trained with: the rule of charrnn-train for a run that begins with a model. Pure functions. */

/** Return what a text of a length is trained with, by the names of charrnn/hyperparameters.py.
 * @param {{always: Object, names: string[], rows: number[][]}} table see table_from_model in charrnn/training/presets.py */
export function ruleFor({ always, names, rows }, length) {
  const [, ...values] = rows.findLast(([from]) => from <= length) ?? rows[0];
  const varied = Object.fromEntries(names.map((name, place) => [name, values[place]]));
  return { ...always, ...varied };
}

/** Return how many windows an epoch has, of what is learned of a text. */
export function windowsOf({ batch_size: texts, num_steps: steps }, learned) {
  return Math.floor(learned / (texts * steps));
}

/** Return the learning rate of an update, of which `total` are made: learning_rate_at of charrnn/hyperparameters.py. */
export function rateAt({ learning_rate: rate, warmup_steps: warmup }, update, total) {
  if (update < warmup) {
    return (rate * (update + 1)) / warmup;
  }
  return rate * (1 - (update - warmup) / Math.max(1, total - warmup));
}
