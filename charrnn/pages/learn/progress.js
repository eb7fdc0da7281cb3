/* How far the network has learned, and how much of that is in no file. */
import { grouped } from "../shared/numbers.js";
import { byId } from "../shared/view.js";
import { network } from "./network.js";

const WORTH = 50; // steps that nobody wants to lose without being asked

export const progress = { updates: 0, saved: 0 }; // steps, and how many of them are in a file

export function beginProgress() {
  progress.updates = 0;
  progress.saved = 0;
}

/** Show how far it is.
 * @param {{updates: number, epoch: number, loss: number}} report of the worker, with the loss in bits */
export function showReport({ updates, epoch, loss }) {
  progress.updates = updates;
  let epochs = grouped(epoch);
  if (epoch < 10) {
    epochs = epoch.toFixed(1);
  }
  byId("said").textContent =
    `Step ${grouped(updates)}, epoch ${epochs}, loss ${loss.toFixed(2)} bits.`;
}

export function markSaved() {
  progress.saved = progress.updates;
}

/** Return whether something was learned that is in no file, and that somebody would miss. */
export function isUnsaved() {
  return network !== null && progress.updates - progress.saved >= WORTH;
}

/** Return whether what was learned may be lost, which the reader is asked where somebody would miss it. */
export function mayLose() {
  if (!isUnsaved()) {
    return true;
  }
  const steps = grouped(progress.updates);
  return confirm(`What the network has learned in ${steps} steps is not saved. Shall it be lost?`);
}
