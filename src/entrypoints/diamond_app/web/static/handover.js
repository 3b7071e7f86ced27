// What the price page hands over to the certificate, kept in this tab's session only.

const NAME = "diamond-certificate";

/** Keep *shown*: {stone, answer, similar, near, at, warnings, compared}. Returns whether the browser has kept it. */
export function handOver(shown) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(shown));
    return true;
  } catch {
    return false; // storage is blocked
  }
}

/** What was handed over, or null. */
export function handedOver() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null;
  }
}
