import type { Diagnostic } from "./wire";

/** A refusal by the server, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly target = "",
    readonly diagnostics: Diagnostic[] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Says what went wrong, for a person. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Asks the portal's server; path begins after /portal/api. */
export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "X-Lockstep-Portal": "1" };
  const request: RequestInit = { method, headers, credentials: "same-origin" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  if (signal) request.signal = signal;
  let response: Response;
  try {
    response = await fetch(`/portal/api${path}`, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "The server can't be reached. Is it running?");
  }
  if (response.status === 204) return undefined as T;
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    const e = answer?.error ?? {};
    throw new ApiError(
      response.status,
      e.code ?? "internal",
      e.message ?? `The server answered ${response.status}.`,
      e.target,
      e.diagnostics,
    );
  }
  return answer as T;
}

export const get = <T>(path: string, signal?: AbortSignal) => ask<T>("GET", path, undefined, signal);
