/* Starts the page, which until then says that it has not started. */
"use strict";
addEventListener("error", ({ message }) => fail(message));
find("failure").hidden = true;
document.querySelector("main").hidden = false;
startWorker();
startWrite();
startStrip();
startCell();
showAddressed();
startRead();
