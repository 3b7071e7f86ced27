// The page of drift: the requests beside the training data, and requests and errors by day.

import { explain, getJson, sentence } from "./api.js";
import { bars } from "./bars.js";
import { $ } from "./dom.js";
import { el } from "./elements.js";
import { count, percent, plural, whenExactly } from "./format.js";
import { askForKey, key } from "./key.js";
import { plot } from "./plot.js";

const DAY = 864e5;
const LABELS = { carat: "Carat (ct)", depth: "Depth (%)", table: "Table (%)", x: "Length x (mm)", y: "Width y (mm)", z: "Height z (mm)", price: "Predicted price (USD)" };
const label = (name) => LABELS[name] ?? name[0].toUpperCase() + name.slice(1);

async function load() {
  try {
    const found = await getJson(`/v1/drift?since=${$("since").value}`);
    $("general-error").textContent = "";
    $("found").hidden = false;
    show(found);
  } catch (error) {
    explain(error, load, (problem) => {
      $("found").hidden = true;
      $("general-error").textContent = sentence(problem.message);
    });
  }
}

function show(found) {
  $("now").replaceChildren(...found.alarms.length
    ? found.alarms.map((alarm) => el("p", { class: "notice warn" }, sentence(alarm)))
    : [el("p", { class: "big-line" }, found.requests ? "Nothing has drifted." : "No stones were priced.")]);
  const facts = [
    ["Distinct stones", count(found.requests)], ["Repeated requests", count(found.repeated)],
    ["Outside the training range", percent(found.outside_training_range)],
    ["Mean predicted price / training price", found.price_level === null ? "–" : `${found.price_level.toFixed(2)} ×`],
    ["Champion", found.model], ["Computed", whenExactly(found.at)],
  ];
  $("facts").replaceChildren(...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  const holders = found.fields.map(() => el("div", {}));
  $("fields").replaceChildren(...found.fields.map((field, at) => el("div", {},
    el("h3", {}, label(field.field), el("span", { class: `badge ${field.drifted ? "warn" : "plain"}` },
      field.drifted ? `drifted, PSI ${field.psi.toFixed(2)}` : `PSI ${field.psi.toFixed(2)}`)),
    holders[at],
    field.unknown || field.unknown_in_training
      ? el("p", { class: "hint" }, `Unknown: ${percent(field.unknown, 0)} of the requests, ${percent(field.unknown_in_training, 0)} of the training stones.`) : "")));
  found.fields.forEach((field, at) => distribution(holders[at], field)); // now that they have a width
  showDays(found.days);
}

function distribution(holder, { field, bins, requests, training }) {
  if (!requests.some(Boolean)) return; // all are unknown
  bars(holder, {
    label: `${label(field)}: the requests and the training stones`,
    rows: bins.map((bin, at) => ({ label: bin, value: requests[at], mark: training[at], text: percent(requests[at]) })),
    mark: "Training stones",
  });
}

function showDays(days) {
  $("days").replaceChildren();
  if (!days.length) return;
  const first = Date.parse(days[0].day);
  const columns = {
    Requests: days.map((day) => day.requests),
    "Client errors (4xx)": days.map((day) => day.client_errors),
    "Server errors (5xx)": days.map((day) => day.server_errors),
  };
  plot($("days"), {
    label: "Requests and errors by day",
    height: 260,
    x: { low: first, high: first + days.length * DAY, kind: "time", title: "Day" },
    y: { low: 0, high: 1.1 * Math.max(...columns.Requests, 1), format: "number", title: "Requests" },
    layers: Object.entries(columns).map(([name, values], series) =>
      ({ mark: "columns", series, name, values, told: (value) => `${name}: ${plural(value, "exchange")}` })),
  });
}

$("since").addEventListener("change", load);
if (key()) load();
else askForKey("", load);
