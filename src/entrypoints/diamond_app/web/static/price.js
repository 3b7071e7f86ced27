// The page that prices one stone and shows similar ones. The address contains the input.

import { ApiError, explain, getJson, postJson, sentence } from "./api.js";
import { compared, comparedInAddress, offerComparison, readCompared } from "./compare.js";
import { $, showErrors, table } from "./dom.js";
import { el } from "./elements.js";
import { carats, count, day, money, percent, plural, when } from "./format.js";
import { FIELDS } from "./fields.js";
import { handOver } from "./handover.js";
import { promised } from "./model_words.js";
import { comparison, priceByWeight, whatIf } from "./what-if.js";
import { rangeBar, waterfall } from "./why.js";

const NUMBERS = FIELDS.filter((field) => !field.grades);
const GRADES = FIELDS.filter((field) => field.grades);
const REQUIRED = new Set(FIELDS.filter((field) => field.required).map((field) => field.name));
const MEASURED = FIELDS.filter((field) => !field.required);
const labels = new Map(FIELDS.map(({ name, label }) => [name, label.charAt(0).toLowerCase() + label.slice(1)]));
const form = $("stone");
let champion = null;
let latest = 0; // answers to earlier requests are dropped
let chart = null;
let shown = null; // the prediction with all that is beside it

for (const field of FIELDS) $(field.required ? "four-cs" : "measured").append(field.grades ? chips(field) : number(field));

function number({ name, label, about, unit, required }) {
  return el("div", { class: "field" },
    el("label", { for: name }, `${label}, ${unit} `, required ? el("span", { class: "what" }, about) : ""),
    el("input", { id: name, name, inputmode: "decimal", autocomplete: "off", title: about, "aria-describedby": `${name}-error` }),
    el("p", { class: "error", id: `${name}-error` }));
}

/** A grade's scale as buttons, best first, and its part of the glossary. */
function chips({ name, label, about, grades }) {
  const best = grades.toReversed();
  const row = el("div", { class: `chips of-${best.length}` }, best.flatMap(({ grade, meaning }) => {
    const id = `${name}-${grade.replace(" ", "-")}`;
    return [el("input", { type: "radio", name, value: grade, id }), el("label", { for: id, title: meaning }, grade)];
  }));
  $("glossary").append(el("h3", {}, label), el("dl", { class: "words-of" },
    best.map(({ grade, meaning }) => el("div", {}, el("dt", {}, grade), el("dd", {}, meaning)))));
  return el("fieldset", { class: "field", id: name, "aria-describedby": `${name}-hint ${name}-error`, onchange: hints },
    el("legend", {}, `${label} `, el("span", { class: "what" }, about)), row,
    el("p", { class: "hint", id: `${name}-hint` }), el("p", { class: "error", id: `${name}-error` }));
}

const radios = (name) => [...$(name).querySelectorAll("input")];
const chosen = (name) => radios(name).find((input) => input.checked)?.value ?? "";

function hints() {
  for (const { name, grades } of GRADES) {
    $(`${name}-hint`).textContent = grades.find(({ grade }) => grade === chosen(name))?.meaning ?? "Choose one to read what it means.";
  }
}

/** The form's values as the address contains them: only those that were given. */
function given() {
  const values = {};
  const numbers = new Set(NUMBERS.map(({ name }) => name));
  for (const [name, value] of new FormData(form)) {
    const text = value.trim();
    if (text) values[name] = numbers.has(name) ? text.replace(/^(\d+),(\d{1,2}|\d{4,})$/, "$1.$2") : text;
  }
  return values;
}

function fill() {
  const query = new URLSearchParams(location.search);
  form.reset();
  for (const { name } of NUMBERS) $(name).value = query.get(name) ?? "";
  for (const { name } of GRADES) {
    const grade = query.get(name)?.toLowerCase();
    for (const input of radios(name)) input.checked = input.value.toLowerCase() === grade;
  }
  $("n").value = query.get("n") ?? "10";
  $("near").checked = query.get("grades") === "near";
  readCompared(query);
  if (MEASURED.some(({ name }) => query.get(name))) $("measurements").open = true;
  hints();
  return query.size > 0;
}

function fourCs(values) {
  return Object.fromEntries(Object.entries(values).filter(([name]) => REQUIRED.has(name)));
}

async function ask(values, n, parts = ["price", "similar"]) {
  const mine = ++latest;
  const fields = Object.fromEntries(Object.entries(values).map(([name, text]) =>
    [name, NUMBERS.some((field) => field.name === name) && Number.isFinite(Number(text)) ? Number(text) : text]));
  document.body.setAttribute("aria-busy", "true");
  const [price, similar] = await Promise.allSettled([
    parts.includes("price") ? askPrice(fields) : null,
    getJson(`/v1/similar?${new URLSearchParams({ ...fourCs(values), ...which(n) })}`),
    loadChampion(),
  ]);
  if (mine !== latest) return;
  document.body.removeAttribute("aria-busy");
  const failed = [price, similar].filter((each) => each.status === "rejected").map((each) => each.reason);
  $("general-error").textContent = "";
  $("why").hidden &&= !compared(); // its fields can be wrong too
  const wrong = new Map();
  for (const error of failed) {
    for (const each of error.errors ?? []) {
      if (!wrong.has(each.pointer)) wrong.set(each.pointer, each);
    }
  }
  showErrors($("similar").closest(".card"), []);
  const left = showErrors(form, []).concat(showErrors(document.body, [...wrong.values()]));
  if (left.length) $("general-error").textContent = sentence(left.join("; "));
  for (const error of failed) {
    if (error instanceof ApiError && error.errors.length) continue;
    explain(error, () => ask(values, n, parts), (problem) => {
      $("general-error").textContent = problem.status === 503
        ? "Prices are not available right now. Please try again later." : sentence(problem.message);
    });
  }
  if (price.status === "rejected") clearAnswer(wrong.size ? "Correct the marked values to get a price." : "No price yet.");
  else if (price.value) {
    if (champion && champion.id !== price.value.model.id) { // promoted meanwhile
      champion = null;
      await loadChampion();
      if (mine !== latest) return;
    }
    showAnswer(values, price.value);
    $("why").hidden = false;
    $("why-said").replaceChildren(...waterfall(price.value));
    keepShown(fields, price.value, similar.value?.diamonds ?? []);
  }
  const sold = similar.status === "rejected" ? clearSimilar() : showSimilar(values, similar.value);
  showAround(values, price.status === "rejected" ? null : price.value, sold, mine);
}

/** Which similar stones are asked for. */
const which = (n) => ($("near").checked ? { n, grades: "near" } : { n });

/** Get the champion's card once; the price does not need it. */
async function loadChampion() {
  if (champion) return;
  try {
    champion = await getJson("/v1/models/champion");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Ask for a price and why it is this one. */
const askPrice = (fields) => (compared()
  ? postJson("/v1/explanations", { ...fields, compared_with: compared() })
  : postJson("/v1/predictions", { ...fields, explain: true }));

/** Keep what is shown for the certificate. */
function keepShown(fields, answer, similar) {
  shown = {
    stone: { ...fields, ...gradesOf(fields) }, answer, similar: similar.slice(0, 5), near: $("near").checked,
    at: Date.now(), warnings: [answer.warning ?? ""], compared: "",
  };
}

/** Show the prices around the stone and what similar ones sold for; the price does not wait for it. */
async function showAround(values, price, sold, mine) {
  let found = null;
  try {
    if (price) found = await getJson(`/v1/ladder?${new URLSearchParams(values)}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  if (mine !== latest) return;
  $("what-if").hidden = !found && !sold;
  $("what-if-said").replaceChildren(...(found ? whatIf(found, which($("n").value)) : []));
  if (found) {
    $("compared").replaceChildren(...comparison(found.comparables));
    shown.compared = found.comparables.sentence;
    shown.warnings.push(found.comparables.warning);
  }
  if (found || sold) chart = priceByWeight($("scatter"), { own: price && ownPoint(Number(values.carat), price), found, ...sold });
}

/** The grades as they are spelled, whatever the address contains. */
const gradesOf = (values) => Object.fromEntries(GRADES.map(({ name }) => [name, chosen(name) || values[name]]));

function clearAnswer(text) {
  $("why").hidden = !compared();
  $("why-said").replaceChildren();
  $("answer").replaceChildren(el("p", { class: "empty" }, text));
  $("stone-line").textContent = "";
  $("answer-actions").hidden = true;
}

function clearSimilar(text = "No similar stones to show.", more = []) {
  $("similar-said").replaceChildren(el("p", { class: "empty" }, text), ...more);
  $("similar-table").replaceChildren();
  chart?.remove();
  chart = null;
  return null;
}

function describe(values) {
  const measured = MEASURED.filter(({ name }) => values[name]).map(({ name, unit }) => `${labels.get(name)} ${values[name]} ${unit ?? ""}`.trim());
  return [`${values.carat} carat`, `${values.cut} cut`, `color ${values.color}`, values.clarity, ...measured].join(" · ");
}

function showAnswer(values, answer) {
  const { low, high } = answer.price_range;
  $("stone-line").textContent = describe({ ...values, ...gradesOf(values) });
  const parts = [
    el("div", { class: "price-line" }, el("p", { class: "price" }, money(answer.price)),
      el("p", { class: "hint", id: "data-note" }, champion?.data.priced_as ?? "")),
    el("p", { class: "range" }, el("b", {}, `${money(low)} to ${money(high)}`),
      ` ${promised(answer)}`),
    rangeBar(answer),
    el("div", { id: "compared" }),
    el("dl", { class: "facts" },
      el("div", {}, el("dt", {}, "Per carat"), el("dd", {}, money(answer.price_per_carat))),
      el("div", {}, el("dt", {}, "Not given, assumed"), el("dd", {},
        assumed(answer.assumed))),
      el("div", {}, el("dt", {}, "Model"), el("dd", {},
        `${answer.model.family}, of ${day(answer.model.trained_at)}`, source())),
    ),
    el("p", { class: "hint" }, "Prediction ", el("span", { class: "code" }, answer.id), `, ${when(Date.now())}.`),
  ];
  if (answer.warning) parts.splice(1, 0, el("p", { class: "notice warn" }, answer.warning));
  $("answer").replaceChildren(...parts);
  $("answer-actions").hidden = false;
  $("copied").textContent = "";
}

/** Where the training data comes from, without folders. */
function source() {
  return champion ? el("span", { class: "what" }, `, from ${champion.data.source.replace(/\S*\//g, "")}`) : "";
}

function assumed(names) {
  if (!names.length) return "nothing";
  return names.length === MEASURED.length ? "all measurements" : names.map((name) => labels.get(name) ?? name).join(", ");
}

/** Show similar stones in words and as a table; return their points for the chart, or null. */
function showSimilar(values, answer) {
  const near = $("near").checked;
  const stones = answer.diamonds;
  const few = answer.count < Number($("n").value);
  const more = few && !near ? [el("button", { type: "button", onclick: addNear }, "Add stones of neighbouring grades")] : [];
  if (!stones.length) return clearSimilar("The training data has no stone with this cut, color and clarity.", more);
  clearSimilar();
  const grades = near ? "this or a neighbouring cut, color and clarity" : "this cut, color and clarity";
  $("similar-said").replaceChildren(el("p", { class: "hint" },
    few ? `Only ${plural(answer.count, "stone")} with ${grades} in the training data.`
      : `The ${plural(answer.count, "stone")} nearest in ${near ? "price terms" : "weight"}, of ${count(answer.available)} with ${grades}.`,
    near ? " Distance: how much the price changes on the way to the stone, in all." : ""), ...more);
  const listed = table("Table of similar stones", [
    { title: "Carat", number: true, cell: (stone) => stone.carat.toFixed(2) },
    { title: "Difference", number: true, cell: (stone) => signed(stone.carat_difference) },
    { title: "Price", number: true, cell: (stone) => money(stone.price) },
    { title: "Per carat", number: true, cell: (stone) => money(stone.price / stone.carat) },
    ...(near ? GRADES.map(({ name, label }) => ({ title: label, cell: (stone) => stone[name] ?? "–" })) : []),
    ...(near ? [{ title: "Distance", number: true, cell: (stone) => percent(Math.expm1(stone.price_distance)) }] : []),
    { title: "Depth %", number: true, cell: (stone) => known(stone.depth, 1) },
    { title: "Table %", number: true, cell: (stone) => known(stone.table) },
    { title: "x × y × z, mm", cell: (stone) => [stone.x, stone.y, stone.z].map((side) => known(side, 2)).join(" × ") },
  ], stones, (_, index) => ({ "data-index": index }));
  const rows = [...listed.querySelectorAll("tbody tr")];
  const points = stones.map((stone) => soldPoint(stone, values));
  rows.forEach((row, index) => {
    row.addEventListener("mouseenter", () => chart?.light(points[index]));
    row.addEventListener("mouseleave", () => chart?.light(null));
  });
  $("similar-table").replaceChildren(listed);
  return { points, onPoint: (point) => rows.forEach((row, at) => row.classList.toggle("lit", point !== null && points[at] === point)) };
}

/** A sold stone as a point of the chart; one of other grades is an odd one and names them. */
function soldPoint({ carat, price, ...stone }, values) {
  const odd = GRADES.some(({ name }) => REQUIRED.has(name) && stone[name] !== (chosen(name) || values[name]));
  const grades = odd ? `, ${stone.cut}, ${stone.color}, ${stone.clarity}` : "";
  return { x: carat, y: price, odd, text: `${carats(carat)}, ${money(price)}${grades}` };
}

/** This stone with its price range, as a point of the chart. */
function ownPoint(x, { price: y, price_range: { low, high } }) {
  return { x, y, low, high, text: `This stone: ${carats(x)}, ${money(y)} (${money(low)} to ${money(high)})` };
}

function addNear() {
  $("near").checked = true;
  $("similar").requestSubmit();
}

const known = (value, digits) => (value === null ? "–" : digits ? value.toFixed(digits) : String(value));
const signed = (value) => (value > 0 ? `+${carats(value)}` : value < 0 ? `−${carats(-value)}` : "same");

function submit(parts) {
  const values = given();
  const n = $("n").value.trim() || "10";
  const query = new URLSearchParams({ ...values, ...which(n), ...comparedInAddress() });
  if (`?${query}` !== location.search) history.pushState(null, "", `/?${query}`);
  ask(values, n, parts).then(() => {
    // on a phone the answer is below the form
    const title = $(parts ? "similar-title" : "answer-title");
    const wrong = document.querySelector("[aria-invalid]");
    if (!wrong && title.getBoundingClientRect().top > innerHeight * 0.7) title.scrollIntoView({ block: "start" });
  });
}

/** Clear the error of a field that is being changed. */
function clearError(event) {
  const { name } = event.target;
  const message = $(`${name}-error`);
  if (!message) return;
  message.textContent = "";
  for (const input of document.getElementsByName(name)) input.removeAttribute("aria-invalid");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
$("similar").addEventListener("submit", (event) => {
  event.preventDefault();
  submit($("answer-actions").hidden ? ["similar"] : undefined);
});
document.addEventListener("input", clearError);
offerComparison(() => submit(), given);
$("certificate").addEventListener("click", () => {
  if (!handOver(shown)) $("copied").textContent = "This browser keeps nothing for the certificate; print this page instead";
  else if (!window.open("/certificate")) location.assign("/certificate");
});
$("print").addEventListener("click", () => window.print());
$("copy-link").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    $("copied").textContent = "Copied";
  } catch {
    $("copied").textContent = "Copy it from the address bar";
  }
});
window.addEventListener("popstate", start);

function start() {
  if (fill()) ask(given(), $("n").value);
  else {
    latest++;
    clearAnswer("Give carat, cut, color and clarity, and press “Price this stone”.");
    loadChampion();
  }
}

start();
