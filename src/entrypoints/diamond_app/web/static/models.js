// The page of all models: the history, and the error over time.

import { explain, getJson, sentence } from "./api.js";
import { $, table } from "./dom.js";
import { el } from "./elements.js";
import { count, money, percent, plural, when } from "./format.js";
import { key } from "./key.js";
import { plot } from "./plot.js";
import { padded } from "./scales.js";

const LIVE_MODELS = 6;

async function load() {
  try {
    show(await getJson("/v1/models?limit=1000"));
  } catch (error) {
    explain(error, load, (problem) => {
      $("general-error").textContent = sentence(problem.message);
      $("models").replaceChildren();
    });
  }
}

function show({ models, champion, damaged }) {
  $("general-error").textContent = damaged.map(({ id, problem }) => `The model ${id} can't be shown: ${problem}.`).join(" ");
  if (!models.length) {
    $("models").replaceChildren(el("p", { class: "empty" }, "No model has been trained yet."));
    $("chart").replaceChildren();
    return;
  }
  const families = [...new Set(models.map((model) => model.family))].sort();
  drawHistory(models, champion);
  loadLive(models, champion);
  $("models").replaceChildren(table("All models", [
    { title: "Model", cell: (model) => [el("b", {}, model.family), model.id === champion ? el("span", { class: "badge good" }, "champion") : "", el("div", { class: "code" }, model.id)] },
    { title: "MAE", number: true, cell: (model) => money(model.metrics.mae) },
    { title: "Report", cell: report },
    { title: "Trained", cell: (model) => when(model.created_at) },
    { title: "RMSE", number: true, cell: (model) => money(model.metrics.rmse) },
    { title: "MAPE", number: true, cell: (model) => percent(model.metrics.mape) },
    { title: "R²", number: true, cell: (model) => model.metrics.r2.toFixed(4) },
    { title: "Coverage", number: true, cell: (model) => percent(model.coverage) },
    { title: "Stones", number: true, cell: (model) => count(model.data.training_rows) },
    { title: "Trained on", wrap: true, cell: (model) => model.data.source },
  ], models, (model) => ({ class: model.id === champion ? "champion" : null })),
  el("p", { class: "hint" }, "MAE: mean absolute error. RMSE: root mean squared error; large errors count more. MAPE: mean absolute error in percent of the price. R²: 1 is perfect. Coverage: the share of hold-out prices inside the price range; the target is 90%."));
}

function drawHistory(models, champion) {
  const point = (model) => ({
    x: Date.parse(model.created_at),
    y: model.metrics.mae,
    ringed: model.id === champion,
    text: `${model.family}, ${when(model.created_at)}: ${money(model.metrics.mae)}${model.id === champion ? ", champion" : ""}`,
  });
  const times = models.map((model) => Date.parse(model.created_at));
  const room = new Set(times).size > 1 ? 5 * 6e4 : 12 * 3.6e6;
  const { low, high } = padded(models.map((model) => model.metrics.mae), { share: 0.15, minimum: 1 });
  plot($("chart"), {
    label: `Mean absolute error of ${plural(models.length, "model")} over time, by family`,
    height: 280,
    x: { ...padded(times, { share: 0.05, minimum: room }), kind: "time", title: "" },
    y: { low: Math.max(low, 0), high, format: "usd", title: "MAE, USD" },
    ring: "Champion",
    layers: [...new Set(models.map((model) => model.family))].sort().map((family, series) => ({
      mark: "dots", series, name: family, points: models.filter((model) => model.family === family).map(point),
    })),
  });
}

/** Show the errors against prices paid of the champion and of the newest other models. */
async function loadLive(models, champion) {
  const chosen = [...models].sort((a, b) => (b.id === champion) - (a.id === champion)).slice(0, LIVE_MODELS);
  const answers = await Promise.all(chosen.map(({ id }) => getJson(`/v1/models/${id}/live`).catch(() => null)));
  showShadows(answers);
  const live = answers.filter((each) => each?.outcomes);
  $("live").hidden = !live.length;
  if (!live.length) return;
  const weeks = live.flatMap((each) => each.weeks);
  const times = weeks.map((week) => Date.parse(week.since));
  const { high } = padded(weeks.map((week) => week.mae_high), { share: 0.1, minimum: 1 });
  plot($("live-chart"), {
    label: `Mean absolute error of ${plural(live.length, "model")} against prices paid, by week`,
    height: 280,
    x: { ...padded(times, { share: 0.05, minimum: 7 * 864e5 }), kind: "time", title: "" },
    y: { low: 0, high, format: "usd", title: "MAE, USD" },
    layers: live.map((each, series) => ({
      mark: "intervals", series, name: each.model_id,
      points: each.weeks.map((week) => ({
        // beside each other, not on top of each other
        x: Date.parse(week.since) + series * 12 * 3.6e6, y: week.mae, low: week.mae_low, high: week.mae_high,
        text: `${each.model_id}, week of ${week.since}: ${money(week.mae)} (95 %: ${money(week.mae_low)} to ${money(week.mae_high)}), ${plural(week.outcomes, "stone")}`,
      })),
    })),
  });
  $("live-table").replaceChildren(table("Errors against prices paid", [
    { title: "Model", cell: (each) => el("span", { class: "code" }, each.model_id) },
    { title: "Prices paid", number: true, cell: (each) => count(each.outcomes) },
    { title: "MAE", number: true, cell: (each) => `${money(each.mae)} (${money(each.mae_low)} to ${money(each.mae_high)})` },
    { title: "Bias", number: true, cell: (each) => `${each.bias > 0 ? "+" : ""}${money(each.bias)}` },
    { title: "MAPE", number: true, cell: (each) => percent(each.mape) },
    { title: "Coverage", number: true, cell: (each) => percent(each.coverage) },
  ], live), el("p", { class: "hint" }, "Bias: the mean of predicted minus paid prices. Report a price paid with the id of its prediction."));
}

function showShadows(answers) {
  const all = answers.flatMap((each) => each?.shadows ?? []);
  const shadows = [...new Map(all.map((each) => [`${each.model_id} ${each.shadow_model_id}`, each])).values()];
  $("shadows").hidden = !shadows.length;
  if (!shadows.length) return;
  const signed = (value, text) => `${value > 0 ? "+" : ""}${text}`;
  $("shadow-table").replaceChildren(...shadows.map((each) => el("p", {}, sentence(each.verdict))), table("Shadows beside the models that answered", [
    { title: "Shadow", cell: (each) => el("span", { class: "code" }, each.shadow_model_id) },
    { title: "Beside", cell: (each) => el("span", { class: "code" }, each.model_id) },
    { title: "Stones", number: true, cell: (each) => count(each.stones) },
    { title: "Prices", number: true, cell: (each) => signed(each.mean_change, percent(each.mean_change)) },
    { title: "Over 5 % apart", number: true, cell: (each) => percent(each.large_changes) },
    { title: "Prices paid", number: true, cell: (each) => count(each.outcomes) },
    { title: "MAE: shadow, model", number: true, cell: (each) => (each.outcomes ? `${money(each.shadow_mae)}, ${money(each.mae)}` : "–") },
  ], shadows));
}

function report(model) {
  if (!("report.html" in (model.files ?? {}))) return el("span", { class: "muted" }, "none");
  const address = `/models/${model.id}/report`;
  return el("a", {
    href: address,
    "aria-label": `Report of ${model.id}`,
    onclick: (event) => {
      if (!key()) return;
      event.preventDefault(); // a link can't send a key; a form's body can
      const form = el("form", { method: "post", action: address, hidden: true },
        el("input", { type: "hidden", name: "key", value: key() }));
      document.body.append(form);
      form.submit();
    },
  }, "Report");
}

load();
