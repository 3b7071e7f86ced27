// A chart with two axes: layers of marks, each on top of the one before.

import { chart, frame, legend, walkable } from "./axes.js";
import { svg } from "./elements.js";
import { plural } from "./format.js";
import { edges, words } from "./scales.js";

const SHAPES = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (x, y, r) => `M${x} ${y - 1.3 * r}l${1.3 * r} ${2.2 * r}h${-2.6 * r}z`,
  (x, y, r) => `M${x} ${y - 1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
];

/** Each draws a layer into *group* and returns the points for pointer and keyboard. */
const MARKS = {
  /** Points {x, y, text}, optionally ringed or hollow. */
  dots(group, { points, shape, size = 5 }, { toX, toY }) {
    return points.map((point) => {
      const [x, y] = [toX(point.x), toY(point.y)];
      if (point.ringed) group.append(svg("circle", { class: "ring", cx: x, cy: y, r: 11 }));
      const mark = svg("path", { class: point.hollow ? "dot hollow" : "dot", d: SHAPES[shape](x, y, size) });
      group.append(mark);
      return { x, y, mark, text: point.text, point };
    });
  },
  /** Points {x, y, low, high, text} with an interval. */
  intervals(group, { points, shape, size = 7 }, { toX, toY }) {
    return points.map((point) => {
      const [x, y, low, high] = [toX(point.x), toY(point.y), toY(point.low), toY(point.high)];
      const mark = svg("path", { class: "dot", d: SHAPES[shape](x, y, size) });
      group.append(svg("path", { d: `M${x} ${low}V${high}M${x - 7} ${low}h14M${x - 7} ${high}h14` }), mark);
      return { x, y, mark, text: point.text, point };
    });
  },
  /** A line through (x[i], y[i]); with walk, its points can be selected. */
  line(group, { x, y, walk, name }, { toX, toY, xText, yText }) {
    const points = x.map((value, at) =>
      ({ x: toX(value), y: toY(y[at]), text: `${name} at ${xText(value)}: ${yText(y[at])}` }));
    group.append(svg("path", { d: `M${points.map((point) => `${point.x} ${point.y}`).join("L")}` }));
    return walk ? points : [];
  },
  /** The area between low[i] and high[i] over x[i]. */
  band(group, { x, low, high }, { toX, toY }) {
    const ends = [...x.map((value, at) => [value, low[at]]), ...x.map((value, at) => [value, high[at]]).reverse()];
    group.append(svg("path", { d: `M${ends.map(([across, up]) => `${toX(across)} ${toY(up)}`).join("L")}z` }));
    return [];
  },
  /** A histogram: values over equally wide intervals of the x axis; *told* puts one in words. */
  columns(group, { values, noun = "stone", told = (value) => plural(value, noun) }, { x, toX, toY, xText }) {
    const ends = edges(x, values.length);
    return values.flatMap((value, at) => {
      if (!value) return [];
      const [left, right, top] = [toX(ends[at]), toX(ends[at + 1]), toY(value)];
      const mark = svg("rect", { x: left, y: top, width: Math.max(right - left - 0.6, 0.6), height: toY(0) - top });
      group.append(mark);
      const text = `${xText(ends[at])} to ${xText(ends[at + 1])}: ${told(value)}`;
      return [{ x: (left + right) / 2, y: top, mark, text }];
    });
  },
  /** A density: [column, row, count] of *across* x *up* equal cells of the plot; a higher count is darker. */
  cells(group, { cells, across, up, noun = "stone" }, { x, y, toX, toY, xText, yText }) {
    const [xEdges, yEdges] = [edges(x, across), edges(y, up)];
    const [lefts, tops] = [xEdges.map(toX), yEdges.map(toY)];
    const darkest = Math.log1p(Math.max(...cells.map(([, , count]) => count)));
    return cells.map(([column, row, count]) => {
      const [left, top] = [lefts[column], tops[row + 1]];
      const [width, height] = [lefts[column + 1] - left, tops[row] - top];
      const opacity = (0.12 + 0.88 * (Math.log1p(count) / darkest)).toFixed(2);
      // a little wider than the cell, so that no gap shows between two
      const mark = svg("rect", { x: left, y: top, width: width + 0.3, height: height + 0.3, "fill-opacity": opacity });
      group.append(mark);
      const text = `${plural(count, noun)} at ${xText(xEdges[column])}, ${yText(yEdges[row])}`;
      return { x: left + width / 2, y: top + height / 2, mark, text };
    });
  },
};

/**
 * Draw *layers* over two axes (see scales.js) into *holder*. A layer has a mark, the arguments of
 * that mark, and optionally a name for the legend, a series (a color and a shape, from 0), a shape,
 * and a look (classes of the style sheet). *ring* explains a ring. *onPoint* gets the selected point
 * of the data, or null.
 * Returns light(point), which selects a point of the data or none, and remove().
 */
export function plot(holder, { label, height = 330, x, y, layers, ring, onPoint = () => {} }) {
  const looks = layers.map(({ mark, series = 0, shape = series % 4, look = "" }) =>
    ({ shape, style: `${mark} s${series % 4} shape${shape} ${look}` }));
  let points = [];
  const drawing = chart(holder, label, (canvas, width) => {
    const space = { x, y, xText: words(x), yText: words(y), ...frame(canvas, { width, height, x, y }) };
    points = layers.flatMap((layer, at) => {
      const group = svg("g", { class: looks[at].style });
      canvas.append(group);
      return MARKS[layer.mark](group, { ...layer, shape: looks[at].shape }, space).sort((a, b) => a.x - b.x);
    });
  });
  const go = walkable(drawing, () => points, (shown) => onPoint(shown?.point ?? null));
  const keys = layers.flatMap(({ name }, at) => (name ? [[looks[at].style, name]] : []));
  if (ring && layers.some((layer) => layer.points?.some((point) => point.ringed))) keys.push(["ring", ring]);
  if (keys.length) holder.append(legend(keys));
  return {
    light: (point) => go(point ? points.findIndex((each) => each.point === point) : null),
    remove: drawing.remove,
  };
}
