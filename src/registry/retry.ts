/** When and how long to wait before a call is made again. */

/** Attempts of one HTTP call, the first included. */
export const MAX_ATTEMPTS = 4;

/** Whether an answer with this status may be different next time. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status === 499 || (status >= 500 && status !== 501 && status !== 505);
}

/**
 * Milliseconds to wait after failed attempt number `attempt` (from 1): 0.5 s doubled each time up to 30 s, of which a
 * random half is taken off. A `Retry-After` of the server counts instead, up to two minutes.
 */
export function retryDelayMs(
  attempt: number,
  world: { readonly random: () => number; readonly now: () => number },
  retryAfter?: string | null,
): number {
  const asked = parseRetryAfter(retryAfter, world.now());
  if (asked !== undefined) return Math.min(asked, MAX_RETRY_AFTER_MS);
  const full = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), MAX_DELAY_MS);
  return full / 2 + world.random() * full / 2;
}

/** `Retry-After` as milliseconds from now: seconds or an HTTP date. Undefined when absent or not one. */
export function parseRetryAfter(text: string | null | undefined, nowMs: number): number | undefined {
  if (text === null || text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const MAX_RETRY_AFTER_MS = 120_000;
