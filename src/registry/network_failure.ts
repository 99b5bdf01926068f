/** Why no answer came: the cause of a failed call as one phrase, and what its reader can do about it. */
import { errorText } from "../errors.ts";
import { redactUrl } from "./registry_error.ts";
import { StallError } from "./stall.ts";

/** A failed call in words. */
export interface NetworkFailure {
  readonly reason: string;
  readonly hint?: string;
  /** Whether the same call may work later; a certificate that is not trusted stays so. */
  readonly retryable: boolean;
}

/** What `error`, thrown by a call to `host`, means. Addresses in it lose their secrets. */
export function networkFailure(error: unknown, host: string): NetworkFailure {
  if (error instanceof StallError) {
    return { reason: `no byte from ${host} for ${Math.round(error.silenceMs / 1000)} seconds`, retryable: true };
  }
  const text = innermostText(error);
  const reason = `no connection to ${host}: ${text}`;
  if (/InvalidContentType|wrong version number|packet length/i.test(text)) {
    const hint = `If the registry speaks plain HTTP, allow it with --insecure-registry=${host}`;
    return { reason, hint, retryable: false };
  }
  if (/invalid peer certificate|certificate (?:verify|has expired|required)|self.signed certificate/i.test(text)) {
    const hint = `Trust the registry's authority with --registry-certificate=${host}=/path/to/ca.pem, ` +
      `or leave the check out with --skip-tls-verify-registry=${host}`;
    return { reason, hint, retryable: false };
  }
  return { reason, retryable: true };
}

function innermostText(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return errorText(inner)
    .replace(/^error sending request for url \([^)]*\): /, "")
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s)"']+/gi, (url) => redactUrl(url))
    .slice(0, MAX_REASON_CHARS);
}

const MAX_REASON_CHARS = 400;
