// What if: the price of a stone with other grades and weights, and beside what others sold for.

import { table } from "./dom.js";
import { el } from "./elements.js";
import { money, percent, plural } from "./format.js";
import { plot } from "./plot.js";
import { padded } from "./scales.js";

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const hundredths = (carat) => `${carat.toFixed(2)} ct`;
const changed = (usd, share) => `${usd < 0 ? "−" : "+"}${money(Math.abs(Math.round(usd)))} (${percent(Math.abs(share))})`;

/** Two tables: one grade more and less, and the trade's weights. *more* stays in the links. */
export function whatIf({ grades, weights }, more) {
  const link = ({ diamond }, text) => {
    const given = Object.entries(diamond).filter(([, value]) => value !== null)
      .map(([name, value]) => [name, typeof value === "number" ? Number(value.toFixed(4)) : value]);
    return el("a", { href: `/?${new URLSearchParams({ ...Object.fromEntries(given), ...more })}` }, text);
  };
  const priced = (step) => [el("div", {}, money(step.price)),
    el("div", { class: "what" }, changed(step.difference, step.difference_share))];
  const graded = (step) => (step ? [link(step, step.value), ...priced(step)] : "–");
  const parts = [table("Price with other grades", [
    { title: "Grade", cell: ([name]) => capital(name) },
    { title: "One lower", number: true, cell: ([, { down }]) => graded(down) },
    { title: "One higher", number: true, cell: ([, { up }]) => graded(up) },
  ], Object.entries(grades))];
  if (weights.length) {
    parts.push(table("Price at other weights", [
      { title: "Weight", cell: (step) => link(step, hundredths(step.value)) },
      { title: "Price", number: true, cell: priced },
      { title: "Jump", number: true, cell: ({ jump, jump_share }) => changed(jump, jump_share) },
    ], weights), el("p", { class: "hint" }, "Jump: what the last 0.01 ct up to this weight adds. Stones of other weights have the same proportions."));
  }
  return parts;
}

/** What the nearest stones sold for, and a warning if they contradict the price. */
export function comparison({ sentence, warning }) {
  return [
    warning ? el("p", { class: "notice warn" }, el("b", {}, "Look at the similar stones. "), warning) : "",
    el("p", {}, sentence),
  ];
}

/**
 * Draw into *holder* the price over the weight with its range (*found*, a ladder, or null), this
 * stone (*own*, or null), and sold stones (*points*, odd ones of other grades).
 */
export function priceByWeight(holder, { found, own, points = [], onPoint }) {
  const marks = [...points, ...(own ? [own] : [])];
  const span = padded([...marks.map(({ x }) => x), ...(found ? between(found, own.x) : [])], { share: 0.04, minimum: 0.01 });
  const curve = (found?.curve ?? []).filter(({ carat }) => carat >= span.low && carat <= span.high);
  const y = padded([...marks.flatMap((mark) => [mark.y, mark.low ?? mark.y, mark.high ?? mark.y]), ...curve.flatMap(({ low, high }) => [low, high])]);
  const over = (name) => curve.map((point) => point[name]);
  const sold = (mine, name, look) => {
    const some = points.filter(({ odd }) => Boolean(odd) !== mine);
    return some.length ? [{ mark: "dots", ...look, name, points: some }] : [];
  };
  const label = `Price by weight, with ${plural(points.length, "similar stone")}${own ? `. ${own.text}` : ""}`;
  return plot(holder, {
    label, onPoint,
    x: { ...span, format: "number", title: "Weight, carat" },
    y: { ...y, low: Math.max(y.low, 0), format: "usd", title: "Price, USD" },
    layers: [
      ...(curve.length ? [
        { mark: "band", look: "wide-band", series: 1, name: "Price range", x: over("carat"), low: over("low"), high: over("high") },
        { mark: "line", series: 1, name: "Predicted price", x: over("carat"), y: over("price") },
      ] : []),
      ...sold(true, "Similar stones", { look: "open" }),
      ...sold(false, "Stones of neighbouring grades", { look: "open", series: 2 }),
      ...(own ? [{ mark: "intervals", series: 1, shape: 3, name: "This stone and its price range", points: [own] }] : []),
    ],
  });
}

/** The weights from just below the trade weight under a stone to the one above it. */
function between({ weights, curve }, carat) {
  const lower = weights.findLast((step) => step.value < carat);
  const higher = weights.find((step) => step.value > carat);
  return [lower?.carat_below ?? curve[0].carat, higher?.value ?? curve.at(-1).carat];
}
