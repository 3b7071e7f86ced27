// A chart of horizontal bars: one for each name, optionally with a mark for comparison.

import { chart, legend, size, walkable } from "./axes.js";
import { svg } from "./elements.js";
import { scale } from "./scales.js";

const STEP = 27;

/**
 * Draw *rows* ({label, value, text, mark}) into *holder*; *mark* explains the marks. The axis
 * extends to *maximum*, or to the longest bar if that is longer; bars below zero go to the left.
 */
export function bars(holder, { label, rows, mark, maximum = 0 }) {
  let points = [];
  const lowest = Math.min(0, ...rows.map((row) => row.value));
  const highest = Math.max(maximum, ...rows.map((row) => Math.max(row.value, row.mark ?? 0)));
  const left = Math.min(Math.max(...rows.map((row) => row.label.length)) * 7 + 14, 190);
  const drawing = chart(holder, label, (canvas, width) => {
    size(canvas, width, rows.length * STEP + 8);
    const toX = scale({ low: lowest, high: highest > lowest ? highest : 1 }, left, width - 84);
    const zero = toX(0);
    points = rows.map((row, at) => {
      const top = 4 + at * STEP;
      const [end, marked] = [toX(row.value), row.mark === undefined ? left : toX(row.mark)];
      const bar = svg("rect", { x: Math.min(zero, end), y: top + 3, width: Math.max(Math.abs(end - zero), 1), height: 19 });
      canvas.append(svg("g", { class: "bars s0" },
        svg("text", { x: left - 8, y: top + 17, "text-anchor": "end" }, row.label), bar,
        row.mark === undefined ? null : svg("line", { x1: marked, x2: marked, y1: top, y2: top + 25 }),
        svg("text", { x: Math.max(zero, end, marked) + 7, y: top + 17 }, row.text)));
      return { x: end, y: top + 13, mark: bar, text: `${row.label}: ${row.text}` };
    });
  });
  walkable(drawing, () => points);
  if (mark) holder.append(legend([["bar-mark", mark]]));
}
