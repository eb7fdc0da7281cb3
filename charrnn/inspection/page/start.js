/* Starts the page, which until then says that it has not started. */
"use strict";
addEventListener("error", ({ message }) => fail(message));
find("failure").hidden = true;
document.querySelector("main").hidden = false;
startWorker("decoding", "engine", "worker");
loadModel();
startWrite();
startStrip();
startCell();
showAddressed();
startRead();
