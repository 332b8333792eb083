// Suggestions while typing, and sorting without a button. Attached by data- attributes; the page works without it.

const DELAY = 120;

function optionOf(item, id) {
  const option = document.createElement("li");
  option.id = id;
  option.className = "suggest__item";
  option.setAttribute("role", "option");
  const text = document.createElement("span");
  text.textContent = item.text;
  const kind = document.createElement("span");
  kind.className = "suggest__kind";
  kind.textContent = item.label;
  option.append(text, kind);
  return option;
}

function attachSuggestions(form) {
  const input = form.querySelector("input[type=search]");
  const list = document.createElement("ul");
  list.className = "suggest";
  list.id = `${input.id}-suggest`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels[0]?.textContent ?? "");
  list.hidden = true;
  form.append(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })) {
    input.setAttribute(name, value);
  }
  let timer, request, chosen = -1, composing = false;

  function close() {
    clearTimeout(timer);
    request?.abort();
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function show(items) {
    list.replaceChildren(...items.map((item, at) => optionOf(item, `${list.id}-${at}`)));
    list.hidden = items.length === 0;
    chosen = -1;
    input.setAttribute("aria-expanded", String(items.length > 0));
  }

  function choose(at) {
    const options = [...list.children];
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    chosen = at;
    if (options[at]) input.setAttribute("aria-activedescendant", options[at].id);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(option) {
    input.value = option.firstChild.textContent;
    close();
    form.requestSubmit();
  }

  async function ask() {
    request?.abort();
    request = new AbortController();
    const text = input.value.trim();
    if (!text) return close();
    try {
      const answer = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ q: text })}`, { signal: request.signal });
      if (answer.ok) show((await answer.json()).suggestions);
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  }

  function later() {
    clearTimeout(timer);
    if (!composing) timer = setTimeout(ask, DELAY);
  }

  input.addEventListener("compositionstart", () => { composing = true; });
  input.addEventListener("compositionend", () => { composing = false; later(); });
  input.addEventListener("input", later);
  input.addEventListener("blur", () => setTimeout(close, 150));
  form.addEventListener("submit", close);
  input.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (event.isComposing || list.hidden || !count) return;
    if (event.key === "ArrowDown") choose((chosen + 1) % count);
    else if (event.key === "ArrowUp") choose(chosen > 0 ? chosen - 1 : count - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && chosen >= 0) take(list.children[chosen]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("li");
    if (option) {
      event.preventDefault();
      take(option);
    }
  });
}

// The values of a facet beyond those shown: the server's list, put in the place of the drawer's own.
function attachFacetFind(form) {
  const list = form.nextElementSibling, own = [...list.childNodes];
  form.querySelector("[data-without-script]")?.remove();
  let timer, request;

  async function find() {
    request?.abort();
    const fields = new URLSearchParams(new FormData(form));
    if (!fields.get("find").trim()) return list.replaceChildren(...own);
    request = new AbortController();
    fields.set("part", "1");
    try {
      const answer = await fetch(`${form.action}?${fields}`, { signal: request.signal });
      if (answer.ok) {
        const part = new DOMParser().parseFromString(await answer.text(), "text/html");
        list.replaceChildren(...part.querySelector("ul").children);
      }
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  }

  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, DELAY); });
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
}

// The tray: what is chosen for comparison stays while one pages and filters. Without script the checkboxes of one page are sent.
function attachTray(form) {
  const list = form.querySelector("[data-compare-list]"), hint = list.textContent;
  const clear = form.querySelector("[data-compare-clear]"), count = form.querySelector("[data-compare-count]");
  const MOST = 4, KEY = "jimu-compare";
  let chosen = [];
  try { chosen = JSON.parse(sessionStorage.getItem(KEY)) ?? []; } catch { chosen = []; }

  function show() {
    try { sessionStorage.setItem(KEY, JSON.stringify(chosen)); } catch { /* not allowed to keep it: it holds for this page */ }
    for (const box of document.querySelectorAll(`input[form="${form.id}"]`)) {
      box.checked = chosen.some((item) => item.uid === box.value);
      box.disabled = !box.checked && chosen.length >= MOST;
    }
    list.replaceChildren(...chosen.map(({ title }) => Object.assign(document.createElement("span"), { className: "tray__item", textContent: title })));
    if (!chosen.length) list.textContent = hint;
    count.textContent = `${chosen.length} / ${MOST}`;
    clear.hidden = !chosen.length;
    form.toggleAttribute("data-empty", !chosen.length);
  }

  document.addEventListener("change", ({ target }) => {
    if (target.getAttribute("form") !== form.id) return;
    chosen = chosen.filter((item) => item.uid !== target.value);
    if (target.checked) chosen.push({ uid: target.value, title: target.dataset.title });
    show();
  });
  clear.addEventListener("click", () => { chosen = []; show(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.href = `${form.action}?${new URLSearchParams(chosen.map(({ uid }) => ["uid", uid]))}`;
  });
  show();
}

// “/” goes to the search box, from wherever one is not typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const input = [...document.querySelectorAll("[data-suggest] input[type=search]")].find((box) => box.offsetParent);
  if (!input) return;
  event.preventDefault();
  input.focus();
  input.select();
});

for (const form of document.querySelectorAll("[data-compare]")) attachTray(form);
for (const form of document.querySelectorAll("[data-facet-find]")) attachFacetFind(form);
for (const form of document.querySelectorAll("[data-suggest]")) attachSuggestions(form);
for (const form of document.querySelectorAll("[data-submit-on-change]")) {
  form.querySelector("[data-without-script]")?.remove();
  form.addEventListener("change", () => form.requestSubmit());
}
