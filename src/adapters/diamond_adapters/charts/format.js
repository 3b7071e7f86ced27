// Numbers, money and times for display.

const share = new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1 });
const change = new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
const number = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 6 });
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const count = (n) => whole.format(n);
export const money = (usd) => (usd < 100 && !Number.isInteger(usd) ? cents : dollars).format(usd);
export const exactly = (usd) => cents.format(usd);
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;
export const when = (iso) => moment.format(new Date(iso));
export const day = (iso) => dayOnly.format(new Date(iso));
export const whenExactly = (iso) => exact.format(new Date(iso));
/** Only the time if it is today, else with the day. */
export const whenShortly = (iso) => {
  const time = new Date(iso);
  return (time.toDateString() === new Date().toDateString() ? clock : dayAndClock).format(time);
};
export const carats = (n) => `${Number(n.toFixed(3))} ct`;
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 10000 ? `${whole.format(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The formats of an axis's values, by name. */
export const FORMATS = {
  usd: money,
  percent: (value) => share.format(value),
  change: (value) => change.format(value),
  carat: carats,
  number: (value) => number.format(value),
  times: (value) => `${Number(value.toPrecision(3))} ×`,
};
