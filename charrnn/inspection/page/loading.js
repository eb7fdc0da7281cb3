/* Shows the beginning of the page before the network has arrived, and how much of it has. */
"use strict";
find("failure").hidden = true;
document.querySelector("main").hidden = false;
window.onerror = fail; // until the page has started: later errors do not stop it
const arriving = setInterval(() => {
  find("arrived").value = find("weights")?.textContent.length ?? 0;
}, 200);
