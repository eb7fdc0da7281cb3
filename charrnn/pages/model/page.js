/* The page of a model. What stands above the weights in the document is shown while they arrive. */
import { drawWith } from "../shared/change.js";
import { byId, fail, startWorker } from "../shared/view.js";
import { drawCell, drawPlaying, startCell } from "./cell.js";
import { drawClaim, drawHandle, startHandle } from "./handle.js";
import { loadModel } from "./model.js";
import { drawHeld } from "./pair.js";
import { startPicture } from "./picture.js";
import { drawReadings, startRead } from "./read.js";
import { turnToAddress } from "./state.js";
import { drawRowMark, drawStrip, startStrip } from "./strip.js";
import { drawTake, startWrite } from "./write.js";

const PROGRESS = 200; // milliseconds between two looks at how much has arrived

const arriving = setInterval(() => {
  byId("arrived").value = byId("weights")?.textContent.length ?? 0;
}, PROGRESS);

/** Bring the document in line with the state. What did not change stays as it is. */
function draw() {
  drawClaim();
  drawHandle();
  drawHeld();
  drawTake();
  drawReadings();
  drawRowMark();
  drawStrip();
  drawCell();
  drawPlaying();
}

function startPage() {
  clearInterval(arriving);
  byId("loading").remove();
  document.querySelector("main").className = "";
  startWorker();
  loadModel();
  startWrite();
  startHandle();
  startPicture();
  startStrip();
  startCell();
  drawWith(draw);
  turnToAddress();
  addEventListener("popstate", ({ state: kept }) => turnToAddress(kept));
  startRead();
}

/** Wait until all of the document has arrived, which may be the case already. */
async function arrived() {
  if (document.readyState === "loading") {
    await new Promise((resolve) => {
      addEventListener("DOMContentLoaded", resolve);
    });
  }
}

byId("failure").hidden = true;
arrived()
  .then(startPage)
  .catch(({ message }) => fail(message));
