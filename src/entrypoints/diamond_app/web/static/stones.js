// The page that prices a CSV. It sends parts, so that a large file shows progress and can be stopped.

import { ApiError, explain, send, sentence } from "./api.js";
import { cells, delimiterOf, records } from "./csv.js";
import { $, table } from "./dom.js";
import { el } from "./elements.js";
import { count, money, percent, plural } from "./format.js";

const ROWS_AT_ONCE = 5000;
const BYTES_AT_ONCE = 4e6;
const PREVIEW = 10;
let chosen = null;
let stopping = null;

/** The file's text. Throws ApiError if it is not UTF-8 text. */
async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bom };
  } catch {
    throw new ApiError({ detail: "This file is not UTF-8 text. In the spreadsheet program, save it as “CSV UTF-8”." });
  }
}

/** Yield the parts to send, each with the header line and a limited number of rows and bytes. */
function* parts([header, ...rows]) {
  let part = [];
  let size = 0;
  for (const row of rows) {
    if (part.length && (part.length === ROWS_AT_ONCE || size + row.length > BYTES_AT_ONCE / 4)) {
      yield [header, ...part];
      [part, size] = [[], 0];
    }
    part.push(row);
    size += row.length;
  }
  yield [header, ...part];
}

async function price(file) {
  const { text, bom } = await textOf(file);
  const delimiter = delimiterOf(text);
  const all = records(text, delimiter);
  const total = all.length - 1;
  const lines = [];
  for (const part of parts(all)) {
    showProgress(`${count(lines.length && lines.length - 1)} of ${plural(Math.max(total, 0), "stone")} priced`, total > 0 ? (lines.length - 1) / total : 0);
    const response = await send("/v1/predictions/batch", {
      method: "POST", type: "text/csv", body: `${part.join("\n")}\n`, signal: stopping.signal,
    });
    const priced = records(await response.text(), delimiter);
    for (const line of lines.length ? priced.slice(1) : priced) lines.push(line);
  }
  return { lines, delimiter, bom };
}

function showProgress(text, share) {
  $("progress-text").textContent = text;
  $("progress").value = share;
}

function show(name, { lines, delimiter, bom }) {
  const [header, ...rows] = lines;
  // the last two cells are the error and the warning, both empty in most rows
  const said = rows.filter((row) => !row.endsWith(delimiter + delimiter));
  const failed = counted(said.map((row) => cells(row, delimiter).at(-2)));
  const warned = counted(said.map((row) => cells(row, delimiter).at(-1)));
  const blob = new Blob([bom ? "\ufeff" : "", lines.join("\n"), "\n"], { type: "text/csv" });
  const link = $("download");
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/(\.[a-z]+)?$/i, "-priced.csv");
  link.textContent = `Download ${link.download}`;
  $("said").replaceChildren(...summary(rows.length, total(failed), total(warned)));
  $("reasons").replaceChildren(
    ...why("Why rows could not be priced", "bad", failed), ...why("Prices to be read with care", "warn", warned));
  $("preview").replaceChildren(...preview(cells(header, delimiter), rows, delimiter));
  $("result").hidden = false;
  $("result-title").focus();
}

/** How often each text occurs; empty ones do not count. */
function counted(texts) {
  const times = new Map();
  for (const text of texts) if (text) times.set(text, (times.get(text) ?? 0) + 1);
  return times;
}

const total = (times) => [...times.values()].reduce((sum, each) => sum + each, 0);

function summary(all, failed, warned) {
  const result = el("p", { class: "big-line" }, el("b", {}, `${plural(all - failed, "stone")} priced`),
    failed ? `, ${plural(failed, "row")} not priced (${percent(failed / all)})` : ", none left out");
  const hints = [
    failed ? "Rows that could not be priced are in the file too, with the reason in the column “error”." : "",
    warned ? `${plural(warned, "price")} should be read with care: the column “warning” says why.` : "",
  ];
  return [result, ...hints.filter(Boolean).map((hint) => el("p", { class: "hint" }, hint))];
}

function why(title, look, reasons) {
  if (!reasons.size) return [];
  const shown = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 8);
  const more = reasons.size - shown.length;
  return [
    el("h3", {}, title),
    el("ul", { class: "reasons" }, shown.map(([reason, times]) =>
      el("li", {}, el("span", { class: `badge ${look}` }, `${count(times)} ×`), ` ${reason}`))),
    ...(more > 0 ? [el("p", { class: "hint" }, `and ${plural(more, "other reason")}`)] : []),
  ];
}

function preview(header, rows, delimiter) {
  const added = header.length - 5;
  const columns = header.map((title, at) => ({
    title,
    number: at >= added && at < added + 3,
    wrap: at >= header.length - 2,
    cell: (row) => (at >= added && at < added + 3 && row[at] ? money(Number(row[at])) : row[at] ?? ""),
  }));
  const first = rows.slice(0, PREVIEW).map((row) => cells(row, delimiter));
  return [
    el("h3", {}, rows.length > PREVIEW ? `The first ${PREVIEW} rows` : "All rows"),
    table("The first rows of the priced file", columns, first, (row) => ({ class: row.at(-2) ? "failed" : null })),
  ];
}

async function run() {
  const file = chosen ?? $("file").files[0];
  $("file-error").textContent = "";
  if (!file) {
    $("file-error").textContent = "Choose a CSV file first.";
    $("file").focus();
    return;
  }
  stopping = new AbortController();
  $("running").hidden = $("stop").hidden = false;
  $("result").hidden = true;
  showProgress("Reading the file", 0);
  try {
    show(file.name, await price(file));
  } catch (error) {
    explain(error, run, (problem) => {
      $("file-error").textContent = sentence(problem.message);
      $("file").focus();
    });
  } finally {
    $("running").hidden = $("stop").hidden = true;
  }
}

function choose(file) {
  chosen = file;
  $("file-error").textContent = "";
}

$("upload").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
$("stop").addEventListener("click", () => stopping?.abort());
$("file").addEventListener("change", () => choose(null));
const drop = $("drop");
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  $("file").files = event.dataTransfer.files;
  choose(event.dataTransfer.files[0]);
  run();
});
