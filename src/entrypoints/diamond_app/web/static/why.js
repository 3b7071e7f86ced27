// A price as a picture: its range, and what each property adds to the price of another stone.

import { table } from "./dom.js";
import { el } from "./elements.js";
import { carats, exactly, money } from "./format.js";

const WORDS = new Map([["carat", "Weight"], ["cut", "Cut"], ["color", "Color"], ["clarity", "Clarity"], ["measurements", "Measurements"]]);

/** The explanation in a sentence, and as a waterfall: each bar begins where the one before ends. */
export function waterfall({ price, explanation }, format = money) {
  const { base, contributions, sentence, compared_with: other, is_typical: typical } = explanation;
  const added = (amount) => (amount > 0 ? `+${format(amount)}` : amount < 0 ? `−${format(-amount)}` : "nothing");
  let reached = base;
  const rows = [{
    name: typical ? "A typical stone" : "The other stone",
    hint: `${carats(other.carat)}, ${other.cut}, ${other.color}, ${other.clarity}`,
    from: 0, to: reached, text: format(reached),
  }];
  for (const { what, amount } of contributions) {
    rows.push({ name: WORDS.get(what), from: reached, to: reached + amount, text: added(amount), exact: exactly(amount) });
    reached += amount;
  }
  rows.push({ name: "This stone", from: 0, to: price, text: format(price) });
  const high = Math.max(...rows.flatMap(({ from, to }) => [from, to]));
  return [
    el("p", {}, sentence),
    table("What each property adds to the price", [
      { title: "Property", wrap: true, cell: (row) => [row.name, row.hint ? el("span", { class: "what" }, ` ${row.hint}`) : "", bar(row, high)] },
      { title: "Adds", number: true, cell: ({ text, exact }) => el("span", exact ? { title: exact } : {}, text) },
    ], rows),
  ];
}

function bar({ from, to }, high) {
  const part = el("span", { class: to < from ? "less" : "more" });
  part.style.left = `${(100 * Math.min(from, to)) / high}%`;
  part.style.width = `${(100 * Math.abs(to - from)) / high}%`;
  return el("span", { class: "waterfall", "aria-hidden": "true" }, part);
}

/** The range as a bar with the price marked in it. */
export function rangeBar({ price, price_range: { low, high } }) {
  const mark = el("span", { class: "mark" });
  mark.style.left = `${(100 * (price - low)) / (high - low || 1)}%`;
  return el("div", { class: "bar-range", "aria-hidden": "true" },
    el("span", {}, money(low)), el("span", { class: "track" }, mark), el("span", {}, money(high)));
}
