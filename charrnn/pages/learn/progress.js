/* How far the network has learned, and how much of that is in no file. */
import { state } from "../shared/change.js";
import { counted, grouped } from "../shared/numbers.js";
import { byId, showText } from "../shared/view.js";

const WORTH = 50; // steps that nobody wants to lose without being asked

/** Draw how far it is, and the button that starts it. */
export function drawProgress() {
  const { isRunning, network } = state;
  byId("said").ariaLive = isRunning ? "off" : "polite"; // nobody wants to hear it four times a second
  let label = network === null ? "Start" : "Go on";
  if (isRunning) {
    label = "Pause";
  }
  showText("start", label);
  showText("said", describeProgress(state));
}

function describeProgress({ updates, epoch, loss, network, begun, choice, file }) {
  if (loss !== null) {
    const epochs = epoch < 10 ? epoch.toFixed(1) : grouped(epoch);
    return `Step ${grouped(updates)}, epoch ${epochs}, loss ${loss.toFixed(2)} bits.`;
  }
  if (begun === choice) {
    return network === null ? "The network is being made." : "";
  }
  if (file === null) {
    return "";
  }
  const { numLayers, lstmSize } = file.sizes;
  const sizes = `${counted(numLayers, "layer")} of ${lstmSize} units`;
  return `Press Start: ${file.name} goes on with this text. It has ${sizes}.`;
}

/** Return whether something was learned that is in no file, and that somebody would miss. */
export function isUnsaved() {
  return state.updates - state.saved >= WORTH;
}

/** Return whether what was learned may be lost, which the reader is asked where somebody would miss it. */
export function mayLose() {
  if (!isUnsaved()) {
    return true;
  }
  const steps = grouped(state.updates);
  return confirm(`What the network has learned in ${steps} steps is not saved. Shall it be lost?`);
}
