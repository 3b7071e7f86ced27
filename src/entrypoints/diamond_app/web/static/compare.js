// The choice of the stone that a price is compared with. Without one, it is the typical stone.

import { $ } from "./dom.js";
import { el } from "./elements.js";
import { FIELDS } from "./fields.js";

const FOUR_CS = FIELDS.filter((field) => field.required);
const id = (name) => `compared_with/${name}`; // the pointer of its errors
const input = (name) => $(id(name));
let chosen = null;

/** The stone to compare with as the API takes it, or null. */
export const compared = () => chosen;

/** The same as the address contains it: {} or {compared_with: "1,Good,H,SI2"}. */
export const comparedInAddress = () => (chosen ? { compared_with: Object.values(chosen).join(",") } : {});

/** Take the choice from the address. */
export function readCompared(query) {
  const texts = (query.get("compared_with") ?? "").split(",");
  choose(texts.length === FOUR_CS.length ? texts : null);
}

/** Build the form; *change* runs when the choice has changed, *shown* gives the values of the priced stone. */
export function offerComparison(change, shown) {
  $("other").append(...FOUR_CS.map((field) => el("div", { class: "field" },
    el("label", { for: id(field.name) }, field.grades ? `Its ${field.label.toLowerCase()}` : `Its weight, ${field.unit}`),
    field.grades ? grades(field) : el("input", { ...attributes(field), inputmode: "decimal", autocomplete: "off" }),
    el("p", { class: "error", id: `${id(field.name)}-error` }))));
  $("comparing").addEventListener("toggle", () => {
    if (!$("comparing").open || chosen) return;
    for (const { name } of FOUR_CS) input(name).value ||= shown()[name] ?? "";
  });
  $("compare").addEventListener("submit", (event) => {
    event.preventDefault();
    choose(FOUR_CS.map(({ name }) => input(name).value.trim().replace(/^(\d+),(\d+)$/, "$1.$2")));
    change();
  });
  $("typical").addEventListener("click", () => {
    choose(null);
    change();
    $("comparing").querySelector("summary").focus();
  });
}

function choose(texts) {
  chosen = texts && Object.fromEntries(FOUR_CS.map(({ name, grades }, at) =>
    [name, grades || !Number.isFinite(Number(texts[at])) || !texts[at] ? texts[at] : Number(texts[at])]));
  if (texts) FOUR_CS.forEach(({ name }, at) => { input(name).value = texts[at]; });
  $("typical").hidden = !chosen;
  $("comparing").open ||= Boolean(chosen);
}

const attributes = ({ name }) => ({ id: id(name), name: id(name), "aria-describedby": `${id(name)}-error` });

/** A grade's scale as a list, best first. */
const grades = (field) => el("select", attributes(field),
  el("option", { value: "" }, "Choose"), field.grades.toReversed().map(({ grade }) => el("option", {}, grade)));
