// The API key: requested if the service needs one, kept in this tab's session only.

import { $ } from "./dom.js";

const NAME = "diamond-key";
let again = null;

export function key() {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return ""; // storage is blocked: the key is asked for on every page
  }
}

/** Ask for a key; *then* runs once the user enters one. */
export function askForKey(message, then) {
  again = then;
  $("key-error").textContent = message;
  $("key-form").hidden = false;
  $("api-key").focus();
}

function keep(value) {
  try {
    if (value) sessionStorage.setItem(NAME, value);
    else sessionStorage.clear(); // with what the key has shown
  } catch {
    // storage is blocked
  }
  $("forget-key").hidden = !value;
}

$("forget-key").hidden = !key();
$("forget-key").addEventListener("click", () => {
  keep("");
  location.reload();
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("api-key").value.trim();
  if (!given) return;
  keep(given);
  $("api-key").value = "";
  $("key-form").hidden = true;
  again?.();
});
