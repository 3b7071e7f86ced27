// The page that shows one prediction, as the price page has shown it, as a printable certificate.

import { ApiError, explain, getJson } from "./api.js";
import { $, table } from "./dom.js";
import { el } from "./elements.js";
import { FIELDS } from "./fields.js";
import { day, exactly, money } from "./format.js";
import { handedOver } from "./handover.js";
import { promised, typicalError } from "./model_words.js";
import { rangeBar, waterfall } from "./why.js";

const JEWELLER = "diamond-jeweller"; // the only thing that stays in this browser
const weight = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 3 });
const shown = handedOver();

function show({ stone, answer, similar, near, at, warnings, compared }) {
  $("issued").textContent = `Issued on ${day(at)}`;
  $("described").textContent = `${weight.format(stone.carat)} carat · ${stone.cut} cut · color ${stone.color} · ${stone.clarity}`;
  $("id").textContent = `Prediction ${answer.id}`;
  document.title = `Price certificate ${answer.id}`;
  const { low, high } = answer.price_range;
  $("price").replaceChildren(
    el("p", { class: "amount" }, exactly(answer.price)),
    el("p", {}, `${money(low)} to ${money(high)} ${promised(answer)}`),
    rangeBar(answer));
  const warning = warnings.filter(Boolean).join(" ");
  $("warning").hidden = !warning;
  $("warning").textContent = warning;
  const properties = FIELDS.filter(({ name }) => stone[name] !== undefined)
    .map(({ name, label, unit }) => [label, `${name === "carat" ? weight.format(stone.carat) : stone[name]} ${unit ?? ""}`]);
  properties.push(["Per carat", money(answer.price_per_carat)]);
  if (answer.assumed.length) properties.push(["Not given", assumed(answer.assumed)]);
  $("properties").replaceChildren(...properties.map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  $("why").replaceChildren(...waterfall(answer, exactly));
  $("known").replaceChildren(...(similar.length ? comparables(similar, near, compared)
    : [el("p", {}, "The training data shows no stone of this cut, color and clarity.")]));
}

function assumed(names) {
  const optional = FIELDS.filter((field) => !field.required);
  if (names.length === optional.length) return "all measurements";
  return optional.filter(({ name }) => names.includes(name)).map(({ label }) => label.toLowerCase()).join(", ");
}

const comparables = (stones, near, compared) => [table("Table of known stones", [
  { title: "Weight", cell: (each) => `${weight.format(each.carat)} ct` },
  ...(near ? [{ title: "Grades", cell: ({ cut, color, clarity }) => `${cut}, ${color}, ${clarity}` }] : []),
  { title: "Price", number: true, cell: (each) => money(each.price) },
  { title: "Per carat", number: true, cell: (each) => money(each.price / each.carat) },
], stones), el("p", {}, near ? "Stones of the training data of the same or neighbouring grades, nearest in price terms first."
  : "Stones of the training data of the same cut, color and clarity, nearest weight first."), el("p", {}, compared)];

/** Say which model and data are behind the price; the model's card never changes. */
async function showBasis({ model, assumed: missing }) {
  const name = `Model ${model.id}, trained on ${day(model.trained_at)}.`;
  $("basis").textContent = name;
  try {
    const card = await getJson(`/v1/models/${encodeURIComponent(model.id)}`);
    $("basis").textContent = `${card.data.priced_as} ${name} ${typicalError(card, missing)}`;
  } catch (error) {
    explain(error, () => showBasis({ model, assumed: missing }), () => {});
  }
}

function jeweller() {
  const input = $("jeweller");
  try {
    input.value = localStorage.getItem(JEWELLER) ?? "";
    input.addEventListener("input", () => localStorage.setItem(JEWELLER, input.value));
  } catch {
    // storage is blocked: the name is not kept
  }
}

$("sheet").hidden = $("tools").hidden = !shown;
$("nothing").hidden = Boolean(shown);
if (shown) {
  show(shown);
  showBasis(shown.answer);
  jeweller();
  $("print").addEventListener("click", () => print());
}
