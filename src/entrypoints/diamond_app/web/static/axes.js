// What all charts share: SVG elements, ticks, scales, the frame, and the tooltip.

import { el } from "./dom.js";

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat());
  return made;
}

/** Round tick values that cover *low* to *high*, about *wanted* of them. */
export function ticks(low, high, wanted = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) {
    found.push(Number(at.toPrecision(12)));
  }
  return found;
}

/** Widen a range so that points do not stand on the frame; a single value gets room too. */
export function padded(low, high, share = 0.08, least = 0) {
  const room = Math.max((high - low) * share, high === low ? Math.abs(high) * share || 1 : 0, least);
  return [low - room, high + room];
}

/** A chart in *holder* that is drawn anew whenever its width changes. */
export function chart(holder, label, draw) {
  const canvas = svg("svg", { class: "chart", role: "img", "aria-label": label });
  const tip = el("div", { class: "tip", role: "status", hidden: true });
  const box = el("div", { class: "chart-box" }, canvas, tip);
  holder.replaceChildren(box);
  let drawn = 0;
  const redraw = () => {
    const width = Math.max(260, Math.floor(box.clientWidth));
    if (width === drawn) return;
    drawn = width;
    canvas.replaceChildren();
    draw(canvas, width);
  };
  const watch = new ResizeObserver(redraw);
  watch.observe(box);
  redraw();
  return {
    box, canvas,
    /** Show *text* beside the point (x, y) of the drawing, or hide the tooltip. */
    tell(text, x, y) {
      tip.hidden = !text;
      if (!text) return;
      tip.textContent = text;
      const scale = canvas.getBoundingClientRect().width / drawn;
      const left = Math.min(Math.max(x * scale - tip.offsetWidth / 2, 0), box.clientWidth - tip.offsetWidth);
      const above = y * scale - tip.offsetHeight - 14;
      tip.style.left = `${left}px`;
      tip.style.top = `${above < 0 ? y * scale + 14 : above}px`;
    },
    remove() {
      watch.disconnect();
      box.remove();
    },
  };
}

/** Draw the grid, the tick labels and the axis titles; return the two scales. */
export function frame(canvas, { width, height, x, y, left = 58, right = 14, top = 26, bottom = 46 }) {
  canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
  canvas.setAttribute("width", width);
  canvas.setAttribute("height", height);
  const toX = (value) => left + ((value - x.low) / (x.high - x.low)) * (width - left - right);
  const toY = (value) => height - bottom - ((value - y.low) / (y.high - y.low)) * (height - top - bottom);
  const grid = svg("g", { class: "grid" });
  const words = svg("g", { class: "words" });
  for (const at of y.ticks) {
    grid.append(svg("line", { x1: left, x2: width - right, y1: toY(at), y2: toY(at) }));
    words.append(svg("text", { x: left - 8, y: toY(at) + 4, "text-anchor": "end" }, y.format(at)));
  }
  for (const at of x.ticks) {
    const place = toX(at);
    grid.append(svg("line", { x1: place, x2: place, y1: height - bottom, y2: height - bottom + 5 }));
    words.append(svg("text", { x: place, y: height - bottom + 19, "text-anchor": "middle" }, x.format(at)));
  }
  words.append(svg("text", { x: left - 50, y: 13, class: "axis" }, y.title));
  words.append(svg("text", { x: width - right, y: height - 6, "text-anchor": "end", class: "axis" }, x.title));
  canvas.append(grid, words);
  return { toX, toY };
}

/** Let pointer and arrow keys walk over *points* ({x, y, text}) of a chart. */
export function walkable(drawing, points, onPoint = () => {}) {
  const { box, canvas } = drawing;
  let at = null;
  const go = (index) => {
    if (index === at) return;
    at = index;
    const point = index === null ? null : points()[index];
    drawing.tell(point?.text ?? "", point?.x, point?.y);
    onPoint(index);
  };
  const nearest = (event) => {
    const area = canvas.getBoundingClientRect();
    const scale = canvas.viewBox.baseVal.width / area.width;
    const x = (event.clientX - area.left) * scale;
    const y = (event.clientY - area.top) * scale;
    let best = null;
    let least = 40 ** 2;
    points().forEach((point, index) => {
      const far = (point.x - x) ** 2 + (point.y - y) ** 2;
      if (far < least) [least, best] = [far, index];
    });
    go(best);
  };
  canvas.addEventListener("pointermove", nearest);
  canvas.addEventListener("pointerdown", nearest);
  canvas.addEventListener("pointerleave", () => go(null));
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Chart. The arrow keys walk over its points.");
  box.addEventListener("blur", () => go(null));
  box.addEventListener("keydown", (event) => {
    const size = points().length;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") go(null);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(size - 1);
    else if (step && size) go(at === null ? (step > 0 ? 0 : size - 1) : (at + step + size) % size);
    else return;
    event.preventDefault();
  });
  return go;
}

/** A row of keys: what each mark means. */
export function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(([kind, text]) =>
    el("li", {}, el("span", { class: `key ${kind}`, "aria-hidden": "true" }), text)));
}
