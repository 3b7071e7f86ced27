// Calls of the HTTP API, and its problems as errors.

import { askForKey, key } from "./key.js";

/** An error that the API answered: a problem document (RFC 9457). */
export class ApiError extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "Unexpected answer of the service.");
    this.status = problem.status ?? 0;
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? "";
  }
}

/** Send a request; return the response. Throws ApiError. */
export async function send(path, { method = "GET", body, type, signal } = {}) {
  const headers = { Accept: "application/json, text/csv" };
  if (type) headers["Content-Type"] = type;
  if (key()) headers["X-API-Key"] = key();
  let response;
  try {
    response = await fetch(path, { method, body, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const badKey = error.message.includes("ISO-8859-1") || error.message.includes("Headers");
    throw new ApiError({
      detail: badKey ? "The key contains invalid characters."
        : "The service can't be reached. Check the connection and try again.",
      status: badKey ? 401 : 0,
    });
  }
  if (response.ok) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not our service's answer but, for example, a proxy's page
  }
  throw new ApiError({ status: response.status, title: `The service answered ${response.status}.`, ...problem });
}

export const getJson = async (path, options) => (await send(path, options)).json();

export async function postJson(path, values, options) {
  const response = await send(path, {
    method: "POST", body: JSON.stringify(values), type: "application/json", ...options,
  });
  return response.json();
}

/** Handle an error: ask for a key if one is missing (and retry), else pass it to *show*. */
export function explain(error, retry, show) {
  if (error.name === "AbortError") return;
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401 || (error.status === 403 && key())) {
    askForKey(key() ? sentence(error.message) : "", retry);
    return;
  }
  show(error);
}

export function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
