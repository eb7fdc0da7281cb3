/* More like its own text than like the network that it began with, or more like that one: charrnn/engines/contrast.py. */
import { clamped } from "./numbers.js";

const PLAUSIBLE = 0.02; // of the most probable character: below it, a character is not drawn
const MOST_COUNTED = 2; // to which a difference of two logarithms counts

export class Contrast {
  /** @param {Network} start the network that the other one began with
   * @param {{ids: number[], isLetter: boolean[]}} characters of the other one: their ids in `start`, -1 for those that it
   *   lacks, and which are letters */
  constructor(start, { ids, isLetter }) {
    this.start = start;
    this.ids = ids;
    this.isLetter = isLetter;
  }

  /** Return what this network knows of a text of which it has read nothing. */
  nothingRead() {
    const logits = new Float32Array(this.start.numClasses);
    return { length: 0, state: this.start.zeroState(), logits };
  }

  /** Read what is new of a text, but for the characters that this network lacks. */
  follow(text, ids) {
    for (; text.length < ids.length; text.length++) {
      const id = this.ids[ids[text.length]];
      if (id >= 0) {
        this.start.step(id, text.state);
        text.logits = this.start.logits(text.state);
      }
    }
  }

  /** Change the logits by the contrast of the settings, if they have one, see `processors` in worker.js. */
  process(changed, own, text, { contrast: strength = 0 }) {
    if (strength === 0) {
      return changed;
    }
    if (!text.notes.has(this)) {
      text.notes.set(this, this.nothingRead());
    }
    const read = text.notes.get(this);
    this.follow(read, text.ids);
    return this.applied(changed, own, strength, read);
  }

  /** Return a copy of what this network knows of a text. */
  copied({ length, state, logits }) {
    return { length, state: { ...state, c: state.c.slice(), h: state.h.slice() }, logits };
  }

  /** Return the logits to draw from, of those that were changed before, those of the other network and those after a text that
   * this one has read. */
  applied(changed, own, strength, { logits }) {
    const ofOwn = logSoftmax(own);
    const ofStart = logSoftmax(logits);
    const least = Math.max(...changed) + Math.log(PLAUSIBLE);
    return changed.map((logit, id) => {
      const counts = this.ids[id] >= 0 && (strength < 0 || this.isLetter[id]);
      const difference = counts ? ofOwn[id] - ofStart[this.ids[id]] : 0;
      if (strength < 0) {
        return logit + strength * difference;
      }
      return logit < least
        ? -Infinity
        : logit + strength * clamped(difference, -MOST_COUNTED, MOST_COUNTED);
    });
  }
}

function logSoftmax(logits) {
  const largest = Math.max(...logits);
  let sum = 0;
  for (const logit of logits) {
    sum += Math.exp(logit - largest);
  }
  const logSum = largest + Math.log(sum);
  return Array.from(logits, (logit) => logit - logSum);
}
