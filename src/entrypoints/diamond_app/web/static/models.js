// The page of all models: the history, and how their error went over time.

import { explain, getJson, sentence } from "./api.js";
import { $, el, table } from "./dom.js";
import { count, money, percent, when } from "./format.js";
import { key } from "./key.js";
import { overTime } from "./trend.js";

async function load() {
  try {
    show(await getJson("/v1/models"));
  } catch (error) {
    explain(error, load, (told) => {
      $("general-error").textContent = sentence(told.message);
      $("models").replaceChildren();
    });
  }
}

function show({ models, champion, damaged }) {
  $("general-error").textContent = damaged.map(({ id, problem }) => `The model ${id} is damaged: ${problem}.`).join(" ");
  if (!models.length) {
    $("models").replaceChildren(el("p", { class: "empty" }, "No model yet. On the server, run: diamond train"));
    $("chart").replaceChildren();
    return;
  }
  const families = [...new Set(models.map((model) => model.family))].sort();
  overTime($("chart"), {
    label: `Mean absolute error of ${models.length} models over time, by family`,
    yTitle: "MAE, USD",
    format: money,
    markedName: "Champion",
    series: families.map((name) => ({
      name,
      points: models.filter((model) => model.family === name).map((model) => ({
        at: Date.parse(model.created_at),
        value: model.metrics.mae,
        marked: model.id === champion,
        text: `${name}, ${when(model.created_at)}: ${money(model.metrics.mae)}${model.id === champion ? ", champion" : ""}`,
      })),
    })),
  });
  $("models").replaceChildren(table("All models", [
    { title: "Model", cell: (model) => [el("b", {}, model.family), model.id === champion ? el("span", { class: "badge good" }, "champion") : "", el("div", { class: "code" }, model.id)] },
    { title: "MAE", number: true, cell: (model) => money(model.metrics.mae) },
    { title: "Report", cell: report },
    { title: "Trained", cell: (model) => when(model.created_at) },
    { title: "RMSE", number: true, cell: (model) => money(model.metrics.rmse) },
    { title: "MAPE", number: true, cell: (model) => percent(model.metrics.mape) },
    { title: "R²", number: true, cell: (model) => model.metrics.r2.toFixed(4) },
    { title: "In range", number: true, cell: (model) => percent(model.coverage) },
    { title: "Stones", number: true, cell: (model) => count(model.data.training_rows) },
    { title: "Learned from", wrap: true, cell: (model) => model.data.source },
  ], models, (model) => ({ class: model.id === champion ? "champion" : null })),
  el("p", { class: "hint" }, "MAE: dollars off on average. RMSE: the same, large misses weigh more. MAPE: percent off on average. R²: 1 is perfect. In range: how many hold-out prices lie inside the price range; 90 % is aimed for."));
}

function report(model) {
  if (!("report.html" in (model.files ?? {}))) return el("span", { class: "muted" }, "none");
  const address = `/models/${model.id}/report`;
  return el("a", {
    href: address,
    "aria-label": `Report of ${model.id}`,
    onclick: (event) => {
      if (!key()) return;
      event.preventDefault(); // a link can send no key: a form's body can
      const form = el("form", { method: "post", action: address, hidden: true },
        el("input", { type: "hidden", name: "key", value: key() }));
      document.body.append(form);
      form.submit();
    },
  }, "Report");
}

load();
