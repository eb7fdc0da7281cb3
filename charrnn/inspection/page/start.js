/* Starts the page, when all of it has arrived. */
"use strict";
clearInterval(arriving);
find("loading").remove();
document.querySelector("main").className = "";
startWorker("decoding", "engine", "worker");
loadModel();
startWrite();
startStrip();
startCell();
showAddressed();
startRead();
window.onerror = null;
