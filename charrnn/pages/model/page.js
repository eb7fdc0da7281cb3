/* The page of a model. What stands above the weights in the document is shown while they arrive. */
import { byId, fail, startWorker } from "../shared/view.js";
import { loadModel } from "./model.js";
import { showAddressed, startWrite } from "./write.js";
import { showMemory } from "./memory.js";
import { startCell } from "./cell.js";
import { startRead } from "./read.js";
import { startStrip } from "./strip.js";

const arriving = setInterval(() => {
  byId("arrived").value = byId("weights")?.textContent.length ?? 0;
}, 200);

function startPage() {
  clearInterval(arriving);
  byId("loading").remove();
  document.querySelector("main").className = "";
  startWorker();
  loadModel();
  startWrite();
  startStrip();
  startCell();
  showAddressed();
  startRead();
  showMemory();
}

byId("failure").hidden = true;
const parsed =
  document.readyState === "loading" // or the document was short, and has all arrived
    ? new Promise((resolve) => {
        addEventListener("DOMContentLoaded", resolve);
      })
    : Promise.resolve();
parsed.then(startPage).catch(({ message }) => fail(message));
