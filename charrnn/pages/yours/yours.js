/* The page of a language, on which a network learns a text of the reader's, and then writes. */
import { drawWith, state } from "../shared/change.js";
import { onDrop } from "../shared/files.js";
import { ask, byId, fail, onClick, startWorker } from "../shared/view.js";
import { drawChoice, startChoice, takeTextFile } from "./choosing.js";
import { beginCourse, chooseAnother, data, frequentWords, learnOn, stopCourse } from "./course.js";
import { drawKeeping, openLearned, startKeeping } from "./keeping.js";
import { drawCourse } from "./learned.js";
import { drawWriting, startWriting } from "./texts.js";

/** Bring the document in line with the state. What did not change stays as it is. */
function draw() {
  drawChoice();
  drawCourse();
  drawWriting();
  drawKeeping();
}

function startButtons() {
  onClick("learn", () => beginCourse().catch(({ message }) => fail(message)));
  onClick("stop", stopCourse);
  onClick("go-on", learnOn);
  onClick("another", chooseAnother);
  onDrop((file) => {
    if (state.stage === "choosing") {
      takeTextFile(file);
    }
  });
}

/** Have the browser ask before it leaves a network that learns. */
function startLeaving() {
  addEventListener("beforeunload", (event) => {
    if (state.stage === "learning") {
      event.preventDefault();
    }
  });
}

function start() {
  startWorker();
  // The worker takes the first one that the browser can compile.
  const kernels = ["fused", "kernel"].map((id) => byId(id).textContent);
  const network = JSON.parse(byId("weights").textContent);
  ask("open", { network, chars: data.chars, kernels, words: frequentWords });
  drawWith(draw);
  startWriting();
  startKeeping();
  startButtons();
  startLeaving();
  startChoice();
  openLearned();
}

byId("failure").hidden = true;
try {
  start();
} catch (error) {
  fail(error.message);
}
