// Weight against price: the similar stones, and this stone with its range.

import { chart, frame, legend, padded, svg, ticks, walkable } from "./axes.js";
import { carats, money } from "./format.js";

/**
 * Draw *stones* ({carat, price}) and *own* ({carat, price, low, high} or null) into *holder*.
 * Returns light(index) to mark a stone, or none with null, and remove().
 */
export function scatter(holder, { stones, own, onPoint }) {
  // by weight, so that the arrow keys walk from left to right
  const order = stones.map((_, index) => index).sort((a, b) => stones[a].carat - stones[b].carat);
  let points = [];
  let marks = [];
  const summary = `Weight against price of ${stones.length} similar stones`
    + (own ? `, with this stone of ${carats(own.carat)} at ${money(own.price)} (${money(own.low)} to ${money(own.high)})` : "");
  const drawing = chart(holder, summary, draw);

  function draw(canvas, width) {
    const weights = stones.map((stone) => stone.carat).concat(own ? [own.carat] : []);
    const prices = stones.map((stone) => stone.price).concat(own ? [own.low, own.high] : []);
    const [xLow, xHigh] = padded(Math.min(...weights), Math.max(...weights), 0.08, 0.01);
    const [yLow, yHigh] = padded(Math.min(...prices), Math.max(...prices));
    const { toX, toY } = frame(canvas, {
      width, height: width < 480 ? 300 : 330,
      x: { low: xLow, high: xHigh, ticks: ticks(xLow, xHigh, width < 480 ? 4 : 7), format: (v) => String(v), title: "Weight, carat" },
      y: { low: Math.max(yLow, 0), high: yHigh, ticks: ticks(Math.max(yLow, 0), yHigh), format: money, title: "Price, USD" },
    });
    marks = stones.map((stone) => svg("circle", { class: "stone", cx: toX(stone.carat), cy: toY(stone.price), r: 5 }));
    points = order.map((index) => ({
      x: toX(stones[index].carat), y: toY(stones[index].price),
      text: `${carats(stones[index].carat)}, ${money(stones[index].price)}`,
    }));
    canvas.append(...marks);
    if (!own) return;
    const x = toX(own.carat);
    canvas.append(svg("g", { class: "own" },
      svg("line", { x1: x, x2: x, y1: toY(own.low), y2: toY(own.high) }),
      svg("line", { x1: x - 7, x2: x + 7, y1: toY(own.low), y2: toY(own.low) }),
      svg("line", { x1: x - 7, x2: x + 7, y1: toY(own.high), y2: toY(own.high) }),
      svg("path", { d: `M${x} ${toY(own.price) - 9}l9 9l-9 9l-9-9z` })));
    points.push({ x, y: toY(own.price), text: `This stone: ${carats(own.carat)}, ${money(own.price)} (${money(own.low)} to ${money(own.high)})` });
  }

  function mark(index) {
    marks.forEach((each, at) => each.classList.toggle("lit", at === index));
  }
  const go = walkable(drawing, () => points, (at) => {
    const index = at === null ? null : order[at] ?? null;
    mark(index);
    onPoint(index);
  });
  const keys = legend([["stone", "Similar stones"], ...(own ? [["own", "This stone and its range"]] : [])]);
  holder.append(keys);
  return {
    light: (index) => (index === null ? go(null) : go(order.indexOf(index))),
    remove() {
      drawing.remove();
      keys.remove();
    },
  };
}
