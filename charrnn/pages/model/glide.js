/* When the two texts are there, the handle moves once by itself, so that one sees what it is for. The first touch or key
 * ends it, and then all is as it was before. */
import { watched } from "../shared/shown.js";
import { byId, movesLittle } from "../shared/view.js";
import { hold } from "./handle.js";
import { beginMove, forgetOne } from "./pair.js";
import { showAddress, written } from "./takes.js";

const LASTING = 4000; // milliseconds
const PAUSE = 300; // milliseconds between two texts, so that each is written to its end
const TOUCHES = ["pointerdown", "keydown", "wheel"];
// Where the handle is after a part of the time: at both ends, and in the middle, where it came from.
const LEFT_AT = 0.25;
const RIGHT_AT = 0.75;

/** The frame to come, when the handle began to move, and when it last held what is watched. */
const glide = { frame: 0, began: 0, heldAt: 0 };

/** Return where the handle is after a part of the time. */
function positionAfter(part) {
  if (part < LEFT_AT) {
    return eased(0, -1, part / LEFT_AT);
  }
  if (part < RIGHT_AT) {
    return eased(-1, 1, (part - LEFT_AT) / (RIGHT_AT - LEFT_AT));
  }
  return eased(1, 0, (part - RIGHT_AT) / (1 - RIGHT_AT));
}

/** Return a number between two others that leaves the first and reaches the second slowly. */
function eased(from, to, part) {
  return from + ((to - from) * (1 - Math.cos(Math.PI * part))) / 2;
}

function begin() {
  if (!watched.told) {
    return;
  }
  glide.began = performance.now();
  beginMove();
  glide.frame = requestAnimationFrame(move);
}

function move() {
  const now = performance.now();
  const part = (now - glide.began) / LASTING;
  if (part >= 1) {
    stop();
    return;
  }
  byId("hold").value = positionAfter(part);
  if (now - glide.heldAt >= PAUSE) {
    glide.heldAt = now;
    hold(Number(byId("hold").value));
  }
  glide.frame = requestAnimationFrame(move);
}

/** End it, or see to it that it never begins. */
function stop() {
  document.body.removeEventListener("pairwritten", begin);
  for (const touch of TOUCHES) {
    removeEventListener(touch, stop, true);
  }
  const isMoving = glide.frame > 0;
  if (!isMoving) {
    return;
  }

  cancelAnimationFrame(glide.frame);
  glide.frame = 0;
  hold(null);
  forgetOne();
  // A text that was finished meanwhile has told the address where the handle was.
  if (!written.running) {
    showAddress();
  }
}

/** Wait for the two texts, on a page without the settings of a link. */
export function startGlide() {
  const isLink = location.hash !== "";
  if (movesLittle || isLink) {
    return;
  }
  document.body.addEventListener("pairwritten", begin, { once: true });
  for (const touch of TOUCHES) {
    addEventListener(touch, stop, true);
  }
}
