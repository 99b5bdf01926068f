import { equal } from "node:assert/strict";
import { isRetryableStatus, parseRetryAfter, retryDelayMs } from "../../../src/registry/retry.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

Deno.test("isRetryableStatus holds for overload and broken servers only", () => {
  for (const status of [408, 429, 499, 500, 502, 503, 504, 522]) equal(isRetryableStatus(status), true, `${status}`);
  for (const status of [200, 307, 400, 401, 403, 404, 416, 501]) equal(isRetryableStatus(status), false, `${status}`);
});

Deno.test("retryDelayMs doubles, is bounded, and takes off at most half", () => {
  const world = (random: number): { random: () => number; now: () => number } => ({
    random: () => random,
    now: () => NOW_MS,
  });
  equal(retryDelayMs(1, world(0)), 250);
  equal(retryDelayMs(3, world(0)), 1000);
  equal(retryDelayMs(3, world(0.5)), 1500);
  equal(retryDelayMs(100, world(0)), 15_000);
  equal(retryDelayMs(1, world(0), "7"), 7000);
  equal(retryDelayMs(1, world(0), "99999"), 120_000);
});

Deno.test("parseRetryAfter reads seconds and dates", () => {
  equal(parseRetryAfter("3", NOW_MS), 3000);
  equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:05 GMT", NOW_MS), 5000);
  equal(parseRetryAfter("Thu, 01 Jan 2015 00:00:05 GMT", NOW_MS), 0);
  for (const none of [null, undefined, "soon", "-1x"]) equal(parseRetryAfter(none, NOW_MS), undefined);
});
