// Keys for the review desk: J and K walk the queue, C and R jump to the comment and the reason.

const links = [...document.querySelectorAll("[data-queue] a")];
const step = (by) => {
  const here = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[Math.min(links.length - 1, Math.max(0, here + by))]?.click();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  if (key === "j") step(1);
  else if (key === "k") step(-1);
  else {
    const field = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (field) { event.preventDefault(); field.focus(); }
  }
});
