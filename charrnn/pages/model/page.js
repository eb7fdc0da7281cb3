/* The page of a model. What stands above the weights in the document is shown while they arrive. */
import { byId, fail, startWorker } from "../shared/view.js";
import { startCell } from "./cell.js";
import { showMemory } from "./memory.js";
import { loadModel } from "./model.js";
import { startPlaces } from "./places.js";
import { startRead } from "./read.js";
import { startStrip } from "./strip.js";
import { showAddressed, startWrite } from "./write.js";

const PROGRESS = 200; // milliseconds between two looks at how much has arrived

const arriving = setInterval(() => {
  byId("arrived").value = byId("weights")?.textContent.length ?? 0;
}, PROGRESS);

function startPage() {
  clearInterval(arriving);
  byId("loading").remove();
  document.querySelector("main").className = "";
  startWorker();
  loadModel();
  startWrite();
  startStrip();
  startCell();
  startPlaces();
  showAddressed();
  startRead();
  showMemory();
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
