// Keys for the audit desk: 1, 2, 3 judge the item, J and K walk.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  document.querySelector(`[data-audit] [data-key="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
});
