/* Starts the page, which until then says that it did not start. */
"use strict";

find("failure").hidden = true;
document.querySelector("main").hidden = false;
startWorker();
startWrite();
startStrip();
startCell();
showAddressed();
startRead();
