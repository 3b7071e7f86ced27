// What a model's card says to people who buy and sell stones.

import { count, money, percent } from "./format.js";

/** What is priced. */
export const pricedAs = ({ data }) =>
  `Priced as a round, natural, polished diamond, at the prices of the training data: ${data.source.replace(/\S*\//g, "")}.`;

/** How far off the model usually is; *assumed* has the measurements that were not given. */
export function typicalError({ data, metrics, metrics_four_cs: fourCs }, assumed) {
  const { mae, mape } = assumed.length ? fourCs : metrics;
  const known = assumed.length ? ", from the 4 Cs alone" : "";
  return `On ${count(data.holdout_rows)} stones that the model had never seen${known}, its price was off by ${money(mae)} on average, or ${percent(mape)}.`;
}
