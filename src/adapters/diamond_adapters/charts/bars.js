// A chart of horizontal bars: one for each name, optionally with a mark for comparison.

import { chart, legend, size, walkable } from "./axes.js";
import { svg } from "./elements.js";
import { scale } from "./scales.js";

const STEP = 27;

/**
 * Draw *rows* ({label, value, text, mark}) into *holder*; *mark* explains the marks. The axis
 * extends to *maximum*, or to the longest bar if that is longer.
 */
export function bars(holder, { label, rows, mark, maximum = 0 }) {
  let points = [];
  const longest = Math.max(maximum, ...rows.map((row) => Math.max(row.value, row.mark ?? 0))) || 1;
  const left = Math.min(Math.max(...rows.map((row) => row.label.length)) * 7 + 14, 190);
  const drawing = chart(holder, label, (canvas, width) => {
    size(canvas, width, rows.length * STEP + 8);
    const toX = scale({ low: 0, high: longest }, left, width - 84);
    points = rows.map((row, at) => {
      const top = 4 + at * STEP;
      const [end, marked] = [toX(row.value), row.mark === undefined ? left : toX(row.mark)];
      const bar = svg("rect", { x: left, y: top + 3, width: Math.max(end - left, 1), height: 19 });
      canvas.append(svg("g", { class: "bars s0" },
        svg("text", { x: left - 8, y: top + 17, "text-anchor": "end" }, row.label), bar,
        row.mark === undefined ? null : svg("line", { x1: marked, x2: marked, y1: top, y2: top + 25 }),
        svg("text", { x: Math.max(end, marked) + 7, y: top + 17 }, row.text)));
      return { x: end, y: top + 13, mark: bar, text: `${row.label}: ${row.text}` };
    });
  });
  walkable(drawing, () => points);
  if (mark) holder.append(legend([["bar-mark", mark]]));
}
