// Traffic, errors and latency over time.

import { $, el } from "./dom.js";
import { count, day, milliseconds, percent, when } from "./format.js";
import { columns, overTime } from "./trend.js";

const DAY = 864e5;
const SPANS = [1, 5, 15, 30, 60, 180, 360, 1440].map((minutes) => minutes * 6e4);

/** Draw the tiles and both charts from *exchanges* (newest first); there may be *more* of them. */
export function showTraffic(exchanges, more) {
  for (const each of ["tiles", "traffic", "latency"]) $(each).replaceChildren();
  if (!exchanges.length) {
    for (const each of ["traffic", "latency"]) $(each).replaceChildren(el("p", { class: "empty" }, "Nothing to draw."));
    return;
  }
  const { span, buckets } = bySpan(exchanges);
  const [good, refused, failed] = [0, 1, 2].map((part) => buckets.reduce((sum, each) => sum + each.parts[part], 0));
  const durations = exchanges.map((each) => each.duration_ms).sort((a, b) => a - b);
  tile(count(good + refused + failed) + (more ? "+" : ""), more ? "requests; the latest are drawn" : "requests");
  tile(percent((refused + failed) / (good + refused + failed)), `refused (${count(refused)}) or failed (${count(failed)})`);
  tile(milliseconds(quantile(durations, 0.5)), "median time");
  tile(milliseconds(quantile(durations, 0.99)), "99 of 100 are faster");
  const name = (at) => (span >= DAY ? day(at) : when(at));
  columns($("traffic"), {
    label: `Requests over time: ${good} answered, ${refused} refused, ${failed} failed`,
    columns: buckets.map(({ at, parts }) => ({
      at, parts, text: `${name(at)}: ${parts[0]} answered, ${parts[1]} refused, ${parts[2]} failed`,
    })),
    span,
    names: ["answered", "refused (4xx)", "failed (5xx)"],
    yTitle: "Requests",
    format: count,
  });
  const busy = buckets.filter((each) => each.p50 !== null);
  const line = (field, title) => ({
    name: title,
    points: busy.map((each) => ({
      at: each.at + span / 2, value: each[field], text: `${name(each.at)}: ${title} ${milliseconds(each[field])}`,
    })),
  });
  overTime($("latency"), {
    label: "Latency over time: the median and the 95th percentile",
    series: [line("p50", "median"), line("p95", "95th percentile")],
    yTitle: "Milliseconds",
    format: (value) => String(value),
    lines: true,
    range: [buckets[0].at, buckets.at(-1).at + span],
    fromZero: true,
  });
}

function tile(value, name) {
  $("tiles").append(el("div", { class: "tile" }, el("b", {}, value), el("span", {}, name)));
}

function quantile(sorted, share) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : null;
}

/** Count exchanges in equal spans of time, empty ones included: 12 to 50 of them. */
function bySpan(exchanges) {
  const times = exchanges.map((each) => Date.parse(each.occurred_at));
  const low = times.reduce((least, each) => Math.min(least, each));
  const high = times.reduce((most, each) => Math.max(most, each));
  const span = SPANS.find((each) => (high - low) / each <= 48) ?? Math.ceil((high - low) / 48 / DAY) * DAY;
  const last = Math.floor(high / span);
  const first = Math.min(Math.floor(low / span), last - 11); // a short time still looks like time
  const found = Array.from({ length: last - first + 1 }, () => []);
  exchanges.forEach((each, index) => found[Math.floor(times[index] / span) - first].push(each));
  const buckets = found.map((some, index) => {
    const parts = [0, 0, 0];
    for (const each of some) parts[each.status < 400 ? 0 : each.status < 500 ? 1 : 2]++;
    const sorted = some.map((each) => each.duration_ms).sort((a, b) => a - b);
    return { at: (first + index) * span, parts, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
  });
  return { span, buckets };
}
