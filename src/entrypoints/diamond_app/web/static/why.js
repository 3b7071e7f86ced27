// Why a price: what each property adds to the price of a typical stone.

import { table } from "./dom.js";
import { el } from "./elements.js";
import { carats, exactly, money } from "./format.js";

const WORDS = new Map([["carat", "Weight"], ["cut", "Cut"], ["color", "Color"], ["clarity", "Clarity"], ["measurements", "Measurements"]]);
const added = (amount) => (amount > 0 ? `+${money(amount)}` : amount < 0 ? `−${money(-amount)}` : "nothing");

/** The explanation in a sentence, and as a waterfall: each bar begins where the one before ends. */
export function waterfall({ price, reference, contributions, sentence }) {
  const { carat, cut, color, clarity } = reference.diamond;
  let reached = reference.price;
  const rows = [{ name: "A typical stone", hint: `${carats(carat)}, ${cut}, ${color}, ${clarity}`, from: 0, to: reached, text: money(reached) }];
  for (const { name, amount } of contributions) {
    rows.push({ name: WORDS.get(name), from: reached, to: reached + amount, text: added(amount), exact: exactly(amount) });
    reached += amount;
  }
  rows.push({ name: "This stone", from: 0, to: price, text: money(price) });
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
