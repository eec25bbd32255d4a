// The desk without reloads: each answer brings the next complaint, and keys choose. Every page works without this file.
"use strict";

(() => {
  const desk = document.getElementById("meja");
  const news = document.getElementById("kabar");
  const PAUSE = 250; // milliseconds in which a second press of the same key cannot decide a complaint that nobody has read
  let shownAt = performance.now();
  let address = location.pathname + location.search; // of what is shown: a link within the page changes neither
  let busy = false;
  let lookingUp = null;

  const one = (selector) => desk.querySelector(selector);
  const draftKey = () => `salur-draf-${one("[data-nomor]")?.dataset.nomor}`;
  const isField = (node) => node.matches("input:not([type=checkbox]), textarea, select");

  // ---- the queue -------------------------------------------------------------------------------------------------------
  if (!desk) {
    const filters = document.querySelector("form[data-saring]");
    if (filters) {
      const LAST = "salur-saringan"; // arrow keys choose at once: who presses them goes on from where they were
      let byKeys = false;
      filters.querySelector("button").hidden = true;
      filters.elements[sessionStorage.getItem(LAST)]?.focus();
      sessionStorage.removeItem(LAST);
      filters.addEventListener("keydown", () => { byKeys = true; });
      filters.addEventListener("pointerdown", () => { byKeys = false; });
      filters.addEventListener("change", (event) => {
        if (byKeys) sessionStorage.setItem(LAST, event.target.name);
        filters.requestSubmit();
      });
    }
    document.addEventListener("keydown", (event) => {
      const start = document.getElementById("mulai");
      if (event.key === "Enter" && start && !event.repeat && [document.body, document.getElementById("isi")].includes(document.activeElement)) start.click();
      if (event.key === "u" && !isField(event.target)) document.querySelector('[data-tombol="u"]')?.click();
    });
    return;
  }

  // ---- showing a complaint ---------------------------------------------------------------------------------------------
  function show(html) {
    desk.innerHTML = html;
    shownAt = performance.now();
    const article = one("article");
    document.title = document.title.replace(/^[^·]*/, article.dataset.nomor ? `Aduan #${article.dataset.nomor} ` : "Antrean ");
    news.textContent = article.dataset.kabar;
    restoreDraft();
    const wanted = article.dataset.fokus && one(`#${article.dataset.fokus}, [name="${article.dataset.fokus}"]`);
    (wanted || one("h1")).focus({ preventScroll: !wanted });
    if (!wanted) window.scrollTo(0, 0);
  }

  function complain(text) {
    one("#galat")?.remove();
    const message = document.createElement("p");
    message.className = "error";
    message.id = "galat";
    message.setAttribute("role", "alert");
    message.textContent = text;
    one("article").prepend(message);
    window.scrollTo(0, 0);
  }

  // ---- sending a decision ----------------------------------------------------------------------------------------------
  async function send(form, button) {
    if (busy) return;
    busy = true;
    desk.setAttribute("aria-busy", "true");
    const fields = new FormData(form);
    if (button?.name) fields.append(button.name, button.value);
    const draft = draftKey();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), headers: { "X-Salur": "meja" } });
      const ahead = answer.headers.get("X-Salur-Alamat");
      if (ahead) {
        const html = await answer.text();
        // Only what was decided is done with: a note stays when its complaint is skipped, or another's decision is undone.
        if (answer.ok && form.id === "putusan" && button?.value !== "lewati") sessionStorage.removeItem(draft);
        show(html);
        if (ahead !== address) history.pushState(null, "", ahead);
        address = ahead;
      } else if (answer.ok || answer.status === 401) {
        sendPlainly(form, button); // the session has ended: the page to sign in carries the form along
      } else {
        complain("Belum tersimpan. Yang Anda tulis masih ada: tunggu sebentar, lalu coba lagi.");
      }
    } catch {
      complain("Tidak ada sambungan, jadi belum tersimpan. Yang Anda tulis masih ada: coba lagi bila sambungan sudah pulih.");
    } finally {
      busy = false;
      desk.removeAttribute("aria-busy");
    }
  }

  function sendPlainly(form, button) {
    if (button?.name) {
      const pressed = document.createElement("input");
      Object.assign(pressed, { type: "hidden", name: button.name, value: button.value });
      form.append(pressed);
    }
    form.submit();
  }

  desk.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.value === "antrean") return; // leads to another page
    event.preventDefault();
    if (button?.value === "cari") takeFound();
    else if (button?.value === "susun") writeQuestion(true);
    else send(event.target, button);
  });

  function leave() {
    const { csrf_token: token, dibuka: since } = one("#putusan")?.elements ?? {};
    if (!since?.value) return;
    const body = new URLSearchParams({ csrf_token: token.value, aksi: "antrean", dibuka: since.value });
    fetch(one("#putusan").action, { method: "POST", body, headers: { "X-Salur": "meja" }, keepalive: true }).catch(() => {});
  }
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); }); // a colleague may have it by now

  addEventListener("popstate", async () => {
    if (location.pathname + location.search === address) return;
    leave();
    address = location.pathname + location.search;
    if (!location.pathname.startsWith("/aduan/")) return location.reload();
    const answer = await fetch(location.href, { headers: { "X-Salur": "meja" } });
    if (answer.headers.get("X-Salur-Alamat")) show(await answer.text());
    else location.reload();
  });

  // ---- searching an agency ---------------------------------------------------------------------------------------------
  async function look() {
    const typed = one("#cari").value.trim();
    lookingUp?.abort();
    if (!typed) return void one("#hasil").replaceChildren();
    lookingUp = new AbortController();
    try {
      const path = new URL(one("#putusan").action).pathname;
      const answer = await fetch(`${path}/cari?cari=${encodeURIComponent(typed)}`, { signal: lookingUp.signal });
      if (answer.ok && !answer.redirected && one("#cari")?.value.trim() === typed) {
        one("#hasil").innerHTML = await answer.text();
        one("#hasil").scrollIntoView({ block: "nearest" }); // Enter takes the first of them: she must see which
      }
    } catch (error) {
      if (error.name !== "AbortError") complain("Tidak ada sambungan: instansi belum dapat dicari.");
    }
  }

  async function takeFound() {
    // Only what stands on the screen is taken: where the list is still on its way, it is shown first.
    const listed = one("#hasil ul.found");
    if (listed && listed.dataset.cari === one("#cari").value.trim()) return send(one("#putusan"), listed.querySelector("button"));
    await look();
    one("#hasil button")?.focus();
  }

  let typing = 0;
  desk.addEventListener("input", (event) => {
    if (event.target.id === "cari") {
      clearTimeout(typing);
      typing = setTimeout(look, 80);
    }
    if (event.target.id === "pertanyaan") event.target.dataset.diubah = "1";
    if (event.target.matches("textarea")) keepDraft();
  });

  // ---- the question to the reporter ------------------------------------------------------------------------------------
  let proposals = 0;
  async function writeQuestion(anew) {
    const field = one("#pertanyaan");
    if (field.dataset.diubah && !anew) return; // her own words are not overwritten
    const mine = ++proposals;
    const missing = [...desk.querySelectorAll('[name="kurang"]:checked')].map((box) => `kurang=${box.value}`).join("&");
    let text = "";
    try {
      const answer = await fetch(`${field.dataset.alamat}?${missing}`);
      if (answer.ok && !answer.redirected) text = await answer.text();
    } catch {
      complain("Tidak ada sambungan: pertanyaan belum disusun ulang.");
    }
    // Answers can overtake each other: only that of the last tick is the question about what is ticked.
    if (!text || mine !== proposals || (field.dataset.diubah && !anew)) return;
    field.value = text;
    delete field.dataset.diubah;
  }
  desk.addEventListener("change", (event) => {
    if (event.target.name === "kurang") writeQuestion(false);
    if (event.target.id === "pintasan-nyala") localStorage.setItem("salur-pintasan", event.target.checked ? "ya" : "tidak");
  });

  // ---- what was typed survives a reload, until the tab is closed or she signs out --------------------------------------
  function keepDraft() {
    const note = one("#catatan").value;
    const question = one("#pertanyaan");
    sessionStorage.setItem(draftKey(), JSON.stringify({ note, question: question.dataset.diubah ? question.value : "" }));
  }
  function restoreDraft() {
    const keys = one("#pintasan-nyala");
    if (keys) keys.checked = localStorage.getItem("salur-pintasan") !== "tidak";
    const kept = JSON.parse(sessionStorage.getItem(draftKey()) || "null");
    if (!kept || !one("#catatan")) return;
    if (kept.note && !one("#catatan").value) {
      one("#catatan").value = kept.note;
      one("#tambahan").open = true;
    }
    if (kept.question) {
      one("#pertanyaan").value = kept.question;
      one("#pertanyaan").dataset.diubah = "1";
      one("#kurang-info").open = true;
    }
  }

  // ---- keys ------------------------------------------------------------------------------------------------------------
  function press(node) {
    if (node.matches("summary")) {
      const part = node.parentElement;
      part.open = true;
      part.scrollIntoView({ block: "start" });
      part.querySelector(part.id === "tambahan" ? "textarea" : "input").focus({ preventScroll: true });
    } else {
      node.click();
      if (node.matches("input")) { // for like complaints too: it may stand below the screen
        node.parentElement.scrollIntoView({ block: "nearest" });
        news.textContent = node.checked ? node.parentElement.innerText : "Putusan ini hanya untuk aduan ini.";
      }
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.altKey || event.repeat) return;
    const target = event.target;
    if (target.id === "pertanyaan" && event.ctrlKey && event.key === "Enter") return one('[value="kurang-informasi"]').click();
    if (event.ctrlKey) return;
    if (event.key === "Escape") return one("h1").focus();
    if (event.key.startsWith("Arrow") && target.closest("#hasil, #cari")) {
      const steps = [one("#cari"), ...desk.querySelectorAll("#hasil button")];
      const next = steps[steps.indexOf(target) + { ArrowDown: 1, ArrowUp: -1 }[event.key]];
      if (next) {
        event.preventDefault();
        next.focus();
      }
      return;
    }
    if (isField(target) || localStorage.getItem("salur-pintasan") === "tidak") return;
    if (event.key === "/") {
      event.preventDefault();
      one("#cari")?.focus();
    } else if (event.key === "?") {
      one("#pintasan")?.toggleAttribute("open");
    } else if (/^[a-z0-9]$/i.test(event.key)) {
      const node = one(`[data-tombol="${event.key.toLowerCase()}"]`);
      if (node && !(node.matches("button") && performance.now() - shownAt < PAUSE)) {
        event.preventDefault();
        press(node);
      }
    }
  });

  restoreDraft();
  one("h1")?.focus({ preventScroll: true });
})();
