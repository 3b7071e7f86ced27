// The page of the request log: filters, the latest exchanges, and one of them in full.

import { explain, getJson, sentence } from "./api.js";
import { $, showErrors, table } from "./dom.js";
import { el } from "./elements.js";
import { count, exactly, milliseconds, plural, whenExactly, whenShortly } from "./format.js";
import { askForKey, key } from "./key.js";
import { waterfall } from "./why.js";

const AT_ONCE = 500;
const ROWS = 50;
const form = $("filters");
let loaded = [];
let next = null;
let rows = ROWS;
let latest = 0; // answers to earlier requests are dropped

/** The filters as the API takes them. */
function filters() {
  return new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
}

async function load() {
  const mine = ++latest;
  const filter = filters();
  const address = new URLSearchParams(filter);
  if (!filter.has("since")) address.set("since", "");
  history.replaceState(null, "", `/requests?${address}`);
  const page = new URLSearchParams(filter);
  page.set("limit", AT_ONCE);
  try {
    const answer = await getJson(`/v1/requests?${page}`);
    if (mine !== latest) return;
    showErrors(form, []);
    $("general-error").textContent = "";
    form.hidden = $("record").hidden = false;
    [loaded, next, rows] = [answer.requests, answer.next, ROWS];
    showRows();
  } catch (error) {
    if (mine === latest) showError(error);
  }
}

function showError(error) {
  explain(error, load, (problem) => {
    form.hidden = false;
    const left = showErrors(form, problem.errors);
    $("general-error").textContent = problem.errors.length ? left.join("; ") : sentence(problem.message);
  });
}

async function more() {
  rows += ROWS;
  if (rows > loaded.length && next) {
    const page = filters();
    page.set("limit", AT_ONCE);
    page.set("before", next);
    try {
      const answer = await getJson(`/v1/requests?${page}`);
      loaded = loaded.concat(answer.requests);
      next = answer.next;
    } catch (error) {
      showError(error);
    }
  }
  showRows();
}

function showRows() {
  const shown = loaded.slice(0, rows);
  const further = Boolean(next) || loaded.length > shown.length;
  $("said").replaceChildren(el("p", { class: "hint" }, shown.length
    ? `${plural(shown.length, "exchange")}, newest first${further ? "; there are more" : ""}.`
    : "No exchange matches these filters."));
  $("older").hidden = !further;
  $("exchanges").replaceChildren(...(shown.length ? [table("Table of exchanges", [
    { title: "Time", cell: (each) => el("time", { datetime: each.occurred_at, title: whenExactly(each.occurred_at) }, whenShortly(each.occurred_at)) },
    { title: "Status", cell: (each) => el("span", { class: `badge ${each.status < 400 ? "good" : "bad"}` }, String(each.status)) },
    { title: "Request", cell: (each) => el("button", { type: "button", onclick: () => open(each) }, `${each.method} ${each.path}`) },
    { title: "Took", number: true, cell: (each) => milliseconds(each.duration_ms) },
    { title: "Model", cell: (each) => el("span", { class: "code" }, each.model_id || "–") },
    { title: "Key", cell: (each) => each.key_name || "–" },
    { title: "From", cell: (each) => each.client || "–" },
  ], shown)] : []));
}

async function open({ id }) {
  let each;
  try {
    each = await getJson(`/v1/requests/${encodeURIComponent(id)}`);
  } catch (error) {
    showError(error);
    return;
  }
  const known = [
    ["Id", each.id], ["X-Request-ID", each.request_id], ["Time", each.occurred_at], ["Status", each.status],
    ["Took", milliseconds(each.duration_ms)], ["Query", each.query], ["Model", each.model_id],
    ["Key", each.key_name], ["From", each.client], ...Object.entries(each.headers ?? {}),
  ];
  const prices = el("div", { role: "status" });
  $("exchange-title").textContent = `${each.method} ${each.path}`;
  $("exchange-body").replaceChildren(
    facts(known.filter(([, value]) => value !== "" && value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)])),
    prices,
    el("h3", {}, "Request"), body("request", each),
    el("h3", {}, "Response"), body("response", each),
    each.others.length ? el("p", { class: "hint" }, `${plural(each.others.length, "other exchange carries", "other exchanges carry")} this X-Request-ID.`) : "",
  );
  if (each.status === 200 && each.model_id) showPrices(id, prices);
  $("exchange").showModal();
  $("close").focus();
}

/** Show what the caller and the model saw, the price computed again, and what was really paid. */
async function showPrices(id, holder) {
  let found;
  try {
    found = await getJson(`/v1/requests/${encodeURIComponent(id)}/prices`);
  } catch (error) {
    holder.replaceChildren(el("p", { class: "hint" }, sentence(error.message)));
    return;
  }
  const words = (names) => names.join(", ") || "–";
  const paid = ({ outcomes }) => {
    const last = outcomes.at(-1);
    return last ? `${exactly(last.price_paid)} on ${last.date}${outcomes.length > 1 ? ` (report ${outcomes.length})` : ""}` : "–";
  };
  const again = (each) => (each.same ? "the same" : el("span", { class: "badge bad" }, exactly(each.recomputed)));
  const answered = (each) => `${exactly(each.price)} (${exactly(each.low)} to ${exactly(each.high)})`;
  const shadowed = ({ shadows }) => shadows.map((one) => `${exactly(one.shadow_price)} (${one.shadow_model_id})`).join(", ") || "–";
  const anyShadow = found.prices.some((each) => each.shadows.length);
  const why = el("div", { class: "why", role: "status" });
  if (found.count === 1) {
    const [one] = found.prices;
    holder.replaceChildren(el("h3", {}, "Price"), facts([
      ["Answered", answered(one)], ["Computed again", again(one)], ["Paid", paid(one)],
      ...(anyShadow ? [["Shadow", shadowed(one)]] : []),
      ["Not given", words(one.assumed)], ["Outside the training range", words(one.outside_training_range)],
    ]), el("div", { class: "actions" }, el("button", { type: "button", onclick: () => showWhy(one.id, why) }, "Why this price?")), why);
    return;
  }
  const further = found.count > found.prices.length ? `, the first ${found.prices.length}` : "";
  holder.replaceChildren(el("h3", {}, `${plural(found.count, "price")}${further}`),
    table("Prices of this exchange", [
      { title: "Stone", wrap: true, cell: ({ id: one, diamond }) => el("button", { type: "button", title: "Why this price?", onclick: () => showWhy(one, why) },
        `${diamond.carat} ct, ${diamond.cut}, ${diamond.color}, ${diamond.clarity}`) },
      { title: "Answered", number: true, cell: (each) => exactly(each.price) },
      { title: "Computed again", number: true, cell: again },
      { title: "Paid", number: true, cell: paid },
      ...(anyShadow ? [{ title: "Shadow", wrap: true, cell: shadowed }] : []),
      { title: "Outside range", wrap: true, cell: (each) => words(each.outside_training_range) },
    ], found.prices), el("p", { class: "hint" }, "Press a stone to see why it has its price."), why);
}

/** Show why the model that priced a stone gives it its price. */
async function showWhy(id, holder) {
  let parts;
  try {
    const { prices: [{ recomputed, explanation }] } = await getJson(`/v1/requests/${encodeURIComponent(id)}/prices?explain=true`);
    parts = waterfall({ price: recomputed, explanation }, exactly);
  } catch (error) {
    parts = [el("p", { class: "hint" }, sentence(error.message))];
  }
  holder.replaceChildren(...parts);
}

/** A list of [name, value]; values can be elements. */
function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "code" }, value))));
}

/** A body for display: JSON indented, other text unchanged, bytes as base64. */
function body(name, each) {
  let text = each[`${name}_body`];
  if (!text) return el("p", { class: "muted" }, "no body");
  if (each[`${name}_encoding`] === "base64") text = `(not text; as base64)\n${text}`;
  else {
    try {
      text = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // not JSON: unchanged
    }
  }
  const maximum = 100000;
  const cut = text.length > maximum ? `${text.slice(0, maximum)}\n… and ${count(text.length - maximum)} more characters` : text;
  return el("pre", { tabindex: "0", role: "region", "aria-label": `The ${name}'s body` }, cut);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const id = $("find").value.trim();
  if (id) open({ id });
  else load();
});
$("older").addEventListener("click", more);
$("close").addEventListener("click", () => $("exchange").close());
for (const [name, value] of new URLSearchParams(location.search)) {
  if (form.elements[name]) form.elements[name].value = value;
}

if (key()) load();
else askForKey("", load);
