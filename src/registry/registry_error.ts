/** Failures of talking to a registry: one sentence each, with the operation, the address without secrets, and the cause. */
import { BuilderError } from "../errors.ts";

/** What is known of a failed call. */
export interface RegistryFailure {
  /** What was tried, as it reads after "Cannot": "pull 127.0.0.1:5000/x:1". */
  readonly operation: string;
  readonly method: string;
  /** The address, already through {@link redactUrl}. */
  readonly url: string;
  /** The HTTP status; undefined when no answer came. */
  readonly status?: number;
  /** The codes of the answer's error body, such as "MANIFEST_UNKNOWN". */
  readonly errorCodes: readonly string[];
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

interface RegistryErrorOptions {
  readonly cause?: unknown;
  readonly hint?: string | undefined;
}

/** A call to a registry that failed. The message is `Cannot <operation>: <reason>`. */
export class RegistryError extends BuilderError {
  readonly code: "registry" | "registry-auth" = "registry";
  constructor(readonly failure: RegistryFailure, reason: string, options: RegistryErrorOptions = {}) {
    super(`Cannot ${failure.operation}: ${reason}`, options);
  }
}

/** A registry, or its token server, that does not accept who we are (401, 403). */
export class RegistryAuthError extends RegistryError {
  override readonly code = "registry-auth";
}

/** Whether `error` is a registry failure that may go away by itself. */
export function isRetryable(error: unknown): boolean {
  return error instanceof RegistryError && error.failure.retryable;
}

/**
 * `url` for messages: user, password, fragment and the values of the query are replaced, since signed storage URLs and
 * upload sessions carry secrets there. The values of `scope`, `service`, `digest`, `mount` and `from` stay.
 *
 * @example
 * ```ts
 * import { redactUrl } from "./registry_error.ts";
 * import { equal } from "node:assert/strict";
 * equal(redactUrl("https://u:p@s3.example/x?X-Sig=abc"), "https://s3.example/x?X-Sig=***");
 * ```
 */
export function redactUrl(url: string | URL): string {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed === undefined) return "(an address that is not a URL)";
  parsed.username = "";
  parsed.password = "";
  parsed.hash = "";
  const query = [...parsed.searchParams].map(([name, value]) => `${name}=${OPEN_PARAMETERS.has(name) ? value : "***"}`);
  parsed.search = "";
  return query.length === 0 ? parsed.href : `${parsed.href}?${query.join("&")}`;
}

const OPEN_PARAMETERS: ReadonlySet<string> = new Set(["scope", "service", "digest", "mount", "from"]);
