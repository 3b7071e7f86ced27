// The parts of every chart: a responsive drawing, a tooltip, axes, the keyboard, the legend.

import { el, svg } from "./elements.js";
import { scale, ticks, words } from "./scales.js";

/** A chart in *holder*, redrawn whenever its width changes. */
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
    showTip(text, x, y) {
      tip.hidden = !text;
      if (!text) return;
      tip.textContent = text;
      const ratio = canvas.getBoundingClientRect().width / drawn;
      const left = Math.min(Math.max(x * ratio - tip.offsetWidth / 2, 0), box.clientWidth - tip.offsetWidth);
      const above = y * ratio - tip.offsetHeight - 14;
      tip.style.left = `${left}px`;
      tip.style.top = `${above < 0 ? y * ratio + 14 : above}px`;
    },
    remove() {
      watch.disconnect();
      holder.replaceChildren();
    },
  };
}

export function size(canvas, width, height) {
  canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
  canvas.setAttribute("width", width);
  canvas.setAttribute("height", height);
}

/** The width of an axis's longest text, about. */
function widest(axis, count) {
  return 7 * Math.max(0, ...ticks(axis, count).map((at) => words(axis)(at).length));
}

/** Draw the grid, the ticks and the titles of two axes; return their two scales. */
export function frame(canvas, { width, height, x, y, top = 26, bottom = 46 }) {
  size(canvas, width, height);
  const left = Math.max(58, 16 + widest(y, 5));
  const right = Math.max(14, widest(x, 7) / 2);
  const toX = scale(x, left, width - right);
  const toY = scale(y, height - bottom, top);
  const [xText, yText] = [words(x), words(y)];
  const grid = svg("g", { class: "grid" });
  const texts = svg("g", { class: "words" });
  for (const at of ticks(y, 5)) {
    grid.append(svg("line", { x1: left, x2: width - right, y1: toY(at), y2: toY(at) }));
    texts.append(svg("text", { x: left - 8, y: toY(at) + 4, "text-anchor": "end" }, yText(at)));
  }
  for (const at of ticks(x, width < 480 ? 4 : 7)) {
    const place = toX(at);
    grid.append(svg("line", { x1: place, x2: place, y1: height - bottom, y2: height - bottom + 5 }));
    texts.append(svg("text", { x: place, y: height - bottom + 19, "text-anchor": "middle" }, xText(at)));
  }
  texts.append(svg("text", { x: 8, y: 13, class: "axis" }, y.title));
  texts.append(svg("text", { x: width - right, y: height - 6, "text-anchor": "end", class: "axis" }, x.title));
  canvas.append(grid, texts);
  return { toX, toY };
}

/**
 * Let pointer and arrow keys move between the points ({x, y, text, mark}) that *points* returns.
 * Return a function that selects a point by its index, or none with null.
 */
export function walkable(drawing, points, onPoint = () => {}) {
  const { box, canvas } = drawing;
  let at = null;
  let lit = null;
  const go = (index) => {
    if (index === at) return;
    at = index;
    const point = points()[index] ?? null;
    lit?.classList.remove("lit");
    lit = point?.mark;
    lit?.classList.add("lit");
    drawing.showTip(point?.text ?? "", point?.x, point?.y);
    onPoint(point);
  };
  const nearest = (event) => {
    const area = canvas.getBoundingClientRect();
    const ratio = canvas.viewBox.baseVal.width / area.width;
    const x = (event.clientX - area.left) * ratio;
    const y = (event.clientY - area.top) * ratio;
    let best = null;
    let minimum = 40 ** 2;
    points().forEach((point, index) => {
      const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
      if (distance < minimum) [minimum, best] = [distance, index];
    });
    go(best);
  };
  canvas.addEventListener("pointermove", nearest);
  canvas.addEventListener("pointerdown", nearest);
  canvas.addEventListener("pointerleave", () => go(null));
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `Chart: ${canvas.getAttribute("aria-label")}. The arrow keys move between its points.`);
  box.addEventListener("blur", () => go(null));
  box.addEventListener("keydown", (event) => {
    const length = points().length;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && at !== null) go(null); // else it closes what the chart is in
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(length - 1);
    else if (step && length) go(at === null ? (step > 0 ? 0 : length - 1) : (at + step + length) % length);
    else return;
    event.preventDefault();
  });
  return go;
}

/** The legend of a chart, from pairs of a key's class and its text. */
export function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(([kind, text]) =>
    el("li", {}, el("span", { class: `key ${kind}`, "aria-hidden": "true" }), text)));
}
