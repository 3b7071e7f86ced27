// What a model and its prices say to people who buy and sell stones.

import { count, money, percent } from "./format.js";

/** What the range of a price promises, as the end of a sentence that begins with the range. */
export function promised({ price_range: { coverage }, outside_training_range: outside }) {
  return outside.includes("carat") || outside.includes("combination")
    ? "is a cautious range: no such stones are known."
    : `is the price range: it contains the prices of about ${Math.round(100 * coverage)}% of such stones.`;
}

/** How far off the model usually is; *assumed* has the measurements that were not given. */
export function typicalError({ data, metrics, metrics_four_cs: fourCs }, assumed) {
  const { mae, mape } = assumed.length ? fourCs : metrics;
  const known = assumed.length ? ", from the 4 Cs alone" : "";
  return `On ${count(data.holdout_rows)} stones that the model had never seen${known}, its price was off by ${money(mae)} on average, or ${percent(mape)}.`;
}
