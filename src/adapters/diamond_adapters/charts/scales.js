// Map values to positions on a chart, and choose round values for the ticks.
//
// An axis is {low, high, kind, format, title}: low is below high; kind is "linear" (the default),
// "log" or "time" (milliseconds since 1970); format is a name in FORMATS.

import { FORMATS } from "./format.js";

/** The function from a value to its position between *start* and *end*, clamped at both ends. */
export function scale({ low, high, kind }, start, end) {
  const along = kind === "log" ? Math.log : Number;
  const [first, last] = [along(low), along(high)];
  return (value) => {
    const share = (along(Math.min(Math.max(value, low), high)) - first) / (last - first);
    return Number((start + share * (end - start)).toFixed(1));
  };
}

/** The edges of *count* intervals that are equally wide on the chart. */
export function edges({ low, high, kind }, count) {
  const shares = Array.from({ length: count + 1 }, (_, number) => number / count);
  return shares.map(kind === "log" ? (share) => low * (high / low) ** share : (share) => low + share * (high - low));
}

/** Round values on an axis, about *count* of them. */
export function ticks({ low, high, kind }, count) {
  if (kind === "time") return timeTicks(low, high, count);
  const found = kind === "log" ? logTicks(low, high, count) : [];
  return found.length > 1 ? found : evenTicks(low, high, count);
}

/** The function from a value of an axis to its text. */
export function words(axis) {
  if (axis.kind !== "time") return FORMATS[axis.format];
  const span = axis.high - axis.low;
  const style = span < 36 * 3.6e6 ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
    : span < 300 * 864e5 ? { month: "short", day: "numeric" } : { year: "numeric", month: "short" };
  const format = new Intl.DateTimeFormat(undefined, style);
  return (time) => format.format(time);
}

/** A range of *values* with room at both ends, so that points do not touch the frame. */
export function padded(values, { share = 0.08, minimum = 0 } = {}) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * share, high === low ? Math.abs(high) * share || 1 : 0, minimum);
  return { low: low - room, high: high + room };
}

function evenTicks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) {
    found.push(Number(at.toPrecision(12)));
  }
  return found;
}

function logTicks(low, high, count) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, number) => first + number);
  let found = [];
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    found = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
      .filter((value) => value >= low && value <= high);
    if (found.length <= count) break;
  }
  return found;
}

/** Round steps of the local clock. */
function timeTicks(low, high, count) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600]
    .map((minutes) => minutes * 6e4);
  const step = steps.find((each) => (high - low) / each <= count) ?? steps.at(-1);
  const offset = new Date(low).getTimezoneOffset() * 6e4;
  const found = [];
  for (let at = Math.ceil((low - offset) / step) * step + offset; at <= high; at += step) found.push(at);
  return found.length ? found : [low];
}
