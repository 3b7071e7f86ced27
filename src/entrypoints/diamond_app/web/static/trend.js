// A chart over time: points by series.

import { chart, frame, legend, padded, svg, ticks, walkable } from "./axes.js";

const SHAPES = [
  (x, y) => `M${x - 5} ${y}a5 5 0 1 0 10 0a5 5 0 1 0-10 0z`,
  (x, y) => `M${x - 5} ${y - 5}h10v10h-10z`,
  (x, y) => `M${x} ${y - 6.5}l6.5 11h-13z`,
  (x, y) => `M${x} ${y - 6.5}l6.5 6.5l-6.5 6.5l-6.5-6.5z`,
];

/** A format that tells apart ticks between *low* and *high* (milliseconds since 1970). */
function clock(low, high) {
  const span = high - low;
  const style = span < 36 * 3.6e6 ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
    : span < 300 * 864e5 ? { month: "short", day: "numeric" } : { year: "numeric", month: "short" };
  return new Intl.DateTimeFormat(undefined, style);
}

/** Tick times: round steps of the local clock, about *wanted* of them. */
function timeTicks(low, high, wanted) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600]
    .map((minutes) => minutes * 6e4);
  const step = steps.find((each) => (high - low) / each <= wanted) ?? steps.at(-1);
  const offset = new Date(low).getTimezoneOffset() * 6e4;
  const found = [];
  for (let at = Math.ceil((low - offset) / step) * step + offset; at <= high; at += step) found.push(at);
  return found.length ? found : [low];
}

/**
 * Draw *series* [{name, points: [{at, value, text, marked}]}] over time into *holder*; what is marked
 * has a ring, which *markedName* explains.
 */
export function overTime(holder, { label, series, yTitle, format, markedName }) {
  let points = [];
  const all = series.flatMap((each) => each.points);
  const drawing = chart(holder, label, (canvas, width) => {
    const times = all.map((point) => point.at);
    const values = all.map((point) => point.value);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const room = Math.max((last - first) * 0.05, first === last ? 12 * 3.6e6 : 5 * 6e4);
    const [xLow, xHigh] = [first - room, last + room];
    let [yLow, yHigh] = padded(Math.min(...values), Math.max(...values), 0.15, 1);
    yLow = Math.max(yLow, 0);
    const words = clock(xLow, xHigh);
    const { toX, toY } = frame(canvas, {
      width, height: 280,
      x: { low: xLow, high: xHigh, ticks: timeTicks(xLow, xHigh, width < 480 ? 4 : 9), format: (at) => words.format(at), title: "" },
      y: { low: yLow, high: yHigh, ticks: ticks(yLow, yHigh, 4), format, title: yTitle },
    });
    points = [];
    series.forEach((each, number) => {
      const group = svg("g", { class: `series s${number % 4}` });
      for (const point of each.points) {
        const [x, y] = [toX(point.at), toY(point.value)];
        if (point.marked) group.append(svg("circle", { class: "ring", cx: x, cy: y, r: 11 }));
        group.append(svg("path", { class: "dot", d: SHAPES[number % 4](x, y) }));
        points.push({ x, y, text: point.text });
      }
      canvas.append(group);
    });
    points.sort((a, b) => a.x - b.x);
  });
  walkable(drawing, () => points);
  holder.append(legend([
    ...series.map((each, number) => [`s${number % 4}`, each.name]),
    ...(markedName && all.some((point) => point.marked) ? [["ring", markedName]] : []),
  ]));
}
