// Building blocks of every page.

import { el } from "./elements.js";

export const $ = (id) => document.getElementById(id);

/** A table in a box that scrolls sideways, by keyboard too. Columns: {title, number, cell}. */
export function table(label, columns, rows, rowAttributes = () => ({})) {
  const head = el("tr", {}, columns.map((column) =>
    el("th", { scope: "col", class: column.number ? "number" : null }, column.title)));
  const body = rows.map((row, index) => el("tr", rowAttributes(row, index), columns.map((column) =>
    el("td", { class: column.number ? "number" : column.wrap ? "wrap" : null, "data-title": column.title }, column.cell(row, index)))));
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label },
    el("table", {}, el("thead", {}, head), el("tbody", {}, body)));
}

/** Show messages by field id; clear all others in *scope*. Return those without a field. */
export function showErrors(scope, errors) {
  for (const each of scope.querySelectorAll(".error")) each.textContent = "";
  for (const each of scope.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  const left = [];
  let first = null;
  for (const { pointer, detail } of errors) {
    const name = pointer.replace(/^\//, "");
    const field = $(name);
    const message = $(`${name}-error`);
    if (!field || !message) {
      left.push(name ? `${name} ${detail}` : detail);
      continue;
    }
    message.textContent = message.textContent || detail.charAt(0).toUpperCase() + detail.slice(1);
    const inputs = field.matches("fieldset") ? field.querySelectorAll("input") : [field];
    for (const input of inputs) input.setAttribute("aria-invalid", "true");
    const folded = field.closest("details");
    if (folded) folded.open = true;
    first ??= inputs[0];
  }
  first?.focus();
  return left;
}
