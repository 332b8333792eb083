// Saves an SVG picture as PNG. Attached to buttons with data-png inside an element with data-picture.
const PROPERTIES = ["fill", "stroke", "stroke-width", "font", "text-anchor", "opacity"];
const SCALE = 2;

function inlineStyles(source, copy) {
  const style = getComputedStyle(source);
  for (const name of PROPERTIES) copy.style.setProperty(name, style.getPropertyValue(name));
  [...source.children].forEach((child, index) => inlineStyles(child, copy.children[index]));
}

function toImage(svg) {
  const copy = svg.cloneNode(true);
  const box = svg.viewBox.baseVal;
  inlineStyles(svg, copy);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", box.width * SCALE);
  copy.setAttribute("height", box.height * SCALE);
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
  return image.decode().then(() => image);
}

async function save(button) {
  const image = await toImage(button.closest("[data-picture]").querySelector("svg"));
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const link = Object.assign(document.createElement("a"), { download: `map-${button.dataset.png}.png` });
  canvas.toBlob((blob) => {
    link.href = URL.createObjectURL(blob);
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

for (const button of document.querySelectorAll("[data-png]")) {
  button.hidden = false;
  button.addEventListener("click", () => save(button));
}
