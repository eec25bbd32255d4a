// Shows how far an import is without reloading the page; without this script the page reloads itself.
"use strict";
(() => {
  const card = document.getElementById("kemajuan");
  if (!card) return;
  const number = new Intl.NumberFormat("id-ID");
  const bar = card.querySelector("progress");
  const rows = card.querySelector("[data-rows]");
  const done = card.querySelector("[data-done]");

  async function look() {
    try {
      const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" } });
      if (answer.ok && !answer.redirected) {
        const told = await answer.json();
        if (told.state !== card.dataset.state) return location.reload();
        if (rows) rows.textContent = number.format(told.rows);
        if (done) {
          done.textContent = number.format(told.done);
          bar.value = told.done;
        }
      } else if (answer.redirected || answer.status === 404) {
        return location.reload();
      }
    } catch {
      // The server may be restarting; the next look will tell.
    }
    setTimeout(look, 1000);
  }
  setTimeout(look, 500);
})();
