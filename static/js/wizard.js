// The registration wizard: autosave a step while it is being filled, add rows, show upload progress.
// Everything here only sharpens forms that work without it.

const say = (text) => { const status = document.querySelector("[data-autosave-status]"); if (status) status.textContent = text; };

function autosave(form) {
  let timer = 0, running = false, again = false, stopped = false;
  const save = async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      const response = await fetch(form.action || location.href, { method: "POST", body: new FormData(form), headers: { "X-Autosave": "1" } });
      const answer = await response.json();
      say(answer.message);
      if (response.ok) {
        form.elements.base.value = answer.base;
        showErrors(form, answer.errors);
        refreshScore();
      } else stopped = true;
    } catch { say("自动保存没有成功，内容还在页面上，稍后会再试"); timer = setTimeout(save, 10000); }
    running = false;
    if (again) { again = false; save(); }
  };
  form.addEventListener("input", () => { if (stopped) return; clearTimeout(timer); timer = setTimeout(save, 1200); });
  form.addEventListener("submit", () => { stopped = true; clearTimeout(timer); });
}

function showErrors(form, errors) {
  for (const box of form.querySelectorAll("[data-errors]")) {
    const found = errors[box.id.replace(/_error$/, "")] || [];
    box.replaceChildren(...found.map((text) => { const line = document.createElement("p"); line.className = "field__error"; line.textContent = text; return line; }));
    box.closest(".field").classList.toggle("field--error", found.length > 0);
  }
}

async function refreshScore() {
  const panel = document.querySelector("[data-score]");
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const fresh = page.querySelector("[data-score]");
  if (panel && fresh) panel.replaceChildren(...fresh.childNodes);
  for (const points of page.querySelectorAll("[data-points]")) {
    const here = document.querySelector(`[data-points="${CSS.escape(points.dataset.points)}"]`);
    if (here) here.replaceWith(points);
  }
}

function rows(table) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "card__action";
  button.textContent = "增加一行";
  button.addEventListener("click", () => {
    const last = table.querySelector("[data-row]:last-of-type");
    const line = last.cloneNode(true);
    const number = table.querySelectorAll("[data-row]").length;
    for (const input of line.querySelectorAll("input, select")) {
      input.name = input.name.replace(/-\d+-([^-]+)$/, `-${number}-$1`);
      input.setAttribute("aria-label", (input.getAttribute("aria-label") || "").replace(/\d+/, number + 1));
      if (input.tagName === "INPUT") input.value = "";
    }
    last.after(line);
    line.querySelector("input:not([type=hidden])").focus();
  });
  table.append(button);
}

function upload(form) {
  const $ = (name) => form.querySelector(`[data-${name}]`);
  form.addEventListener("submit", (event) => {
    const file = form.elements.file.files[0];
    if (!file) return;
    event.preventDefault();
    const fail = (text) => { $("upload-error").hidden = false; $("upload-error").textContent = text; $("progress").hidden = true; };
    $("upload-error").hidden = true;
    const limit = Number(form.dataset.limit);
    if (file.size > limit) return fail(`文件有 ${mega(file.size)} MB，超过 ${mega(limit)} MB 的上限，请截取后再上传。`);
    const request = new XMLHttpRequest(), began = Date.now();
    $("progress").hidden = false;
    $("progress-name").textContent = file.name;
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const rate = loaded / Math.max(1, Date.now() - began) * 1000;
      $("progress-bar").setAttribute("width", 100 * loaded / total);
      $("progress-count").textContent = `${mega(loaded)} / ${mega(total)} MB`;
      $("progress-left").textContent = `${mega(rate)} MB/s，还需约 ${Math.ceil((total - loaded) / rate)} 秒`;
    });
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { answer = { message: request.status === 413 ? "文件超过本门户的上限，请截取后再上传。" : "上传没有成功，请再试一次。" }; }
      if (request.status === 200) { location.hash = "samples"; location.reload(); } else fail(answer.message);
    });
    request.addEventListener("error", () => fail("网络断了，上传没有完成。文件没有保存，请再试一次。"));
    $("progress-cancel").addEventListener("click", () => { request.abort(); $("progress").hidden = true; }, { once: true });
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "upload");
    request.send(new FormData(form));
  });
}

const mega = (bytes) => (bytes / 1048576).toFixed(1);

document.querySelectorAll("[data-autosave]").forEach(autosave);
document.querySelectorAll("[data-rows]").forEach(rows);
document.querySelectorAll("[data-upload]").forEach(upload);
document.querySelectorAll("[data-reload]").forEach((link) => link.addEventListener("click", () => setTimeout(() => location.reload(), 0)));
document.querySelector("[data-focus]")?.focus();
