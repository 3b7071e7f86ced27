// The page of the training pipeline: its runs, and the deliveries of one of them.

import { explain, getJson, sentence } from "./api.js";
import { $, table } from "./dom.js";
import { el } from "./elements.js";
import { count, milliseconds, percent, plural, when, whenExactly } from "./format.js";
import { askForKey, key } from "./key.js";
import { plot } from "./plot.js";

const LOOKS = { trained: "good", held: "warn", failed: "bad", interrupted: "bad", added: "good" };
const ORDER = ["held", "added", "known"];
const COMPARED = {
  price: { title: "Price / worth", told: (level) => `Prices: ${level} × what the stones are worth` },
  carat: { title: "Weight / median weight of the store", told: (level) => `Weights: ${level} × those of the store` },
};
let runs = [];
let edges = [];
let next = null;

const code = (text) => el("code", { class: "code" }, text);
const total = (values) => values.reduce((sum, each) => sum + each, 0);
const heldOf = (run) => run.deliveries.filter(({ status }) => status === "held");
const took = (run) => milliseconds(1000 * total(Object.values(run.seconds)) || null);
const outcomeOf = (run) => (run.outcome === "running" ? "running or interrupted" : run.outcome);
const badge = (name, text = name) => el("span", { class: `badge ${LOOKS[name] ?? "plain"}` }, text);

async function load(event) {
  const older = Boolean(event) && Boolean(next);
  $("older").disabled = true;
  try {
    const answer = await getJson(`/v1/pipeline?limit=50${older ? `&before=${next}` : ""}`);
    runs = older ? runs.concat(answer.runs) : answer.runs;
    ({ edges, next } = answer);
    $("general-error").textContent = "";
    show();
  } catch (error) {
    explain(error, load, (problem) => {
      $("general-error").textContent = sentence(problem.message);
    });
  }
  $("older").disabled = false;
}

function show() {
  $("record").hidden = false;
  $("history").hidden = !runs.length;
  $("older").hidden = !next;
  if (!runs.length) {
    $("last").replaceChildren(el("p", { class: "empty" }, "The pipeline has not run yet. To run it: ", code("diamond pipeline run 'incoming/*.csv'")));
    return;
  }
  $("last").replaceChildren(el("p", { class: "big-line" }, sentence(`The run of ${when(runs[0].started_at)} ${whatItDid(runs[0])}`)),
    ...heldOf(runs[0]).map(toRelease));
  $("runs").replaceChildren(table("All runs", [
    { title: "Started", cell: (run) => el("button", { type: "button" }, el("time", { datetime: run.started_at }, when(run.started_at))) },
    { title: "Outcome", cell: (run) => badge(run.outcome, outcomeOf(run)) },
    { title: "Data version", number: true, cell: (run) => run.version ?? "–" },
    { title: "Deliveries", cell: (run) => `${count(run.deliveries.length)}${heldOf(run).length ? `, ${heldOf(run).length} held` : ""}` },
    { title: "Models trained", number: true, cell: (run) => count(run.models.length) },
    { title: "Promoted", cell: (run) => (run.promoted ? el("span", { class: "code" }, run.champion) : "–") },
    { title: "Took", number: true, cell: took },
  ], runs, (run) => ({ class: "opens", onclick: () => open(run) })));
}

/** What a run did, as the end of a sentence. */
function whatItDid(run) {
  if (run.outcome === "running") return "is running, or was interrupted";
  if (run.outcome === "interrupted") return "was interrupted; the next run finishes its work";
  const added = run.deliveries.filter(({ status }) => status === "added");
  const did = [];
  if (added.length) did.push(`added ${plural(added.length, "delivery", "deliveries")} with ${plural(total(added.map((each) => each.new)), "new stone")}`);
  if (run.models.length) did.push(`trained ${plural(run.models.length, "model")} on version ${run.version} of the stones`);
  if (run.promoted) did.push(`promoted ${run.champion}`);
  else if (run.models.length) did.push("kept the champion");
  const failed = run.outcome === "failed";
  const last = did.pop() ?? (failed ? "" : "found nothing new to train on");
  const held = heldOf(run).length;
  return [
    `${did.length ? `${did.join(", ")} and ` : ""}${last}`,
    held ? `${plural(held, "delivery is", "deliveries are")} held` : "",
    failed ? `failed: ${run.problems.join("; ")}` : "",
  ].filter(Boolean).join("; ");
}

/** Why a delivery is held, and what to do; a later run may say that it was released. */
function toRelease({ id, source, reason }) {
  const newest = runs.flatMap((run) => run.deliveries).find((each) => each.id === id);
  return el("div", { class: "notice warn" },
    el("p", {}, el("b", {}, source)), el("p", {}, sentence(`held: ${reason}`)),
    newest.status === "held"
      ? [el("p", {}, "To see it: ", code(`diamond data show ${id}`)), el("p", {}, "To accept it: ", code(`diamond data release ${id}`))]
      : el("p", {}, "It was released since."));
}

function open(run) {
  const facts = [
    ["Outcome", badge(run.outcome, outcomeOf(run))], ["Ended", run.finished_at && whenExactly(run.finished_at)],
    ["Started by", run.by], ["Data version", run.version], ["Champion afterwards", run.champion],
    ["Took", Object.entries(run.seconds).map(([step, seconds]) => `${step} ${milliseconds(1000 * seconds)}`).join(", ")],
    ["Models trained", run.models.length ? run.models.map((id) => el("div", {}, id)) : ""], ["diamond-core", run.code], ["Id", run.id],
    ["Settings", Object.entries(run.settings).filter(([, value]) => value !== null && value.length !== 0)
      .map(([name, value]) => `${name.replace("_", " ")} ${value}`).join(", ")],
  ];
  const deliveries = [...run.deliveries].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  $("run-title").textContent = `Run of ${whenExactly(run.started_at)}`;
  $("run-body").replaceChildren(
    el("dl", { class: "facts" }, facts.filter(([, value]) => value !== "" && value !== null)
      .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    ...run.problems.map((problem) => el("p", { class: "error" }, sentence(problem))),
    ...Object.values(run.drift).map((drifted) => el("p", { class: "notice warn" }, sentence(drifted))),
    el("h3", {}, "Deliveries"),
    deliveries.length ? deliveryTable(deliveries) : el("p", { class: "muted" }, "none"),
  );
  $("run").showModal();
  $("close").focus();
  $("run-body").append(...deliveries.filter(({ status }) => status !== "known").map(comparison));
}

function deliveryTable(deliveries) {
  const counts = ["rows", "new", "known", "corrected", "rejected"];
  return el("div", { class: "cards" }, table("Deliveries of this run", [
    { title: "Source", cell: (each) => [each.source, el("div", { class: "code" }, each.id)] },
    { title: "Status", cell: (each) => badge(each.status) },
    ...counts.map((name) => ({ title: name[0].toUpperCase() + name.slice(1), number: true, cell: (each) => count(each[name]) })),
  ], deliveries));
}

/** A delivery beside the store; open if it is held. */
function comparison(delivery) {
  const held = delivery.status === "held";
  const pictures = Object.keys(COMPARED).filter((name) => delivery.levels[name]).map((name) => {
    const holder = el("div", {});
    const { level, delivered } = delivery.levels[name];
    picture(holder, COMPARED[name], delivery.levels[name]);
    return el("div", {}, el("p", {}, COMPARED[name].told(Number(level.toPrecision(3)))), holder,
      delivered[0] || delivered.at(-1) ? el("p", { class: "hint" }, "The bar at the edge includes all stones beyond it.") : "");
  });
  return el("details", { open: held }, el("summary", {}, `${delivery.source} compared with the store`),
    held ? toRelease(delivery) : "",
    pictures.length ? el("div", { class: "pictures" }, pictures) : el("p", { class: "muted" }, "There are too few stones to compare."));
}

/** Two histograms of ratios, each as shares of its stones. */
function picture(holder, { title }, { delivered, stored }) {
  const used = edges.slice(1).flatMap((edge, at) => (delivered[at] || stored[at] ? [at] : []));
  const equal = edges.indexOf(1);
  const first = Math.max(Math.min(...used, equal) - 1, 0);
  const last = Math.min(Math.max(...used, equal) + 2, edges.length - 1);
  const shares = (counts) => counts.slice(first, last).map((each) => each / Math.max(total(counts), 1));
  const columns = { store: shares(stored), delivery: shares(delivered) };
  const high = 1.1 * Math.max(...columns.store, ...columns.delivery);
  plot(holder, {
    label: `${title}: the delivery and the store`,
    height: 240,
    x: { low: edges[first], high: edges[last], kind: "log", format: "times", title },
    y: { low: 0, high, format: "percent", title: "Share of the stones" },
    layers: [
      ...Object.entries(columns).map(([name, values], series) =>
        ({ mark: "columns", series, name: `The ${name}`, values, told: (share) => `${percent(share)} of the ${name}` })),
      { mark: "line", look: "plain dashed", name: "Equal", x: [1, 1], y: [0, high] },
    ],
  });
}

$("older").addEventListener("click", load);
$("close").addEventListener("click", () => $("run").close());
if (key()) load();
else askForKey("", load);
