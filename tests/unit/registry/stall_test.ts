import { deepEqual, equal, rejects } from "node:assert/strict";
import { failOnSilence, StallError, withinTime } from "../../../src/registry/stall.ts";

Deno.test("failOnSilence passes bytes on when they come", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  deepEqual([...await new Response(failOnSilence(new Blob([bytes]).stream(), 60_000)).bytes()], [1, 2, 3]);
});

Deno.test("failOnSilence errors and cancels its source when no byte comes", async () => {
  let reason: unknown;
  const silent = new ReadableStream<Uint8Array>({ cancel: (given) => void (reason = given) });
  await rejects(new Response(failOnSilence(silent, 1)).bytes(), StallError);
  equal(reason instanceof StallError, true);
});

Deno.test("withinTime gives the value or calls onStall, never both", async () => {
  const stalls: StallError[] = [];
  equal(await withinTime(Promise.resolve(5), 60_000, (error) => stalls.push(error)), 5);
  equal(stalls.length, 0);
  await rejects(withinTime(new Promise(() => {}), 1, (error) => stalls.push(error)), /no byte for/);
  equal(stalls.length, 1);
});
