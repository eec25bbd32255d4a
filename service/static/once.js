// A second press while the answer to the first is on its way would send the form again, and the browser would drop the first
// answer: with it the password or the file that is given out only once.
"use strict";
(() => {
  const WAIT = 10_000; // milliseconds after which whoever stopped the page, or fetched a file, may press again
  let sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("form.who")) sessionStorage.clear(); // signing out, from whichever page: no draft is for who comes next
    if (event.defaultPrevented || form.method !== "post") return;
    if (performance.now() - (sent.get(form) ?? -WAIT) < WAIT) event.preventDefault();
    else sent.set(form, performance.now());
  });
  addEventListener("pageshow", () => { sent = new WeakMap(); }); // also the page that the back button brings again
})();
