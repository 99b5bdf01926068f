import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { mapBounded } from "../../../src/registry/bounded.ts";

Deno.test("mapBounded keeps the order and never runs more than the limit", async () => {
  let running = 0;
  let most = 0;
  const results = await mapBounded([5, 1, 4, 2, 3], 2, async (item) => {
    most = Math.max(most, ++running);
    for (let i = 0; i < item; i++) await Promise.resolve();
    running--;
    return item * 10;
  });
  deepEqual(results, [50, 10, 40, 20, 30]);
  equal(most, 2);
  deepEqual(await mapBounded([], 3, () => Promise.resolve(1)), []);
});

Deno.test("mapBounded begins nothing new after a failure and tells the others to stop", async () => {
  const begun: number[] = [];
  let wasStopped = false;
  const work = mapBounded([0, 1, 2, 3], 2, async (item, signal) => {
    begun.push(item);
    if (item === 0) throw new TypeError("broken");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    wasStopped = signal.aborted;
  });
  await rejects(work, /broken/);
  deepEqual(begun, [0, 1]);
  ok(wasStopped);
});
