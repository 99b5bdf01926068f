import { deepEqual, equal, rejects } from "node:assert/strict";
import { Turnstile } from "../../../src/build/turnstile.ts";

Deno.test("Turnstile lets no more through than its limit, and the others in their order", async () => {
  const turnstile = new Turnstile(2);
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = gates.map((gate, index) =>
    turnstile.pass(() => {
      begun.push(index);
      return gate.promise;
    })
  );
  deepEqual(begun, [0, 1]);
  gates[1]?.resolve();
  await all[1];
  deepEqual(begun, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(all);
  deepEqual(begun, [0, 1, 2, 3]);
});

Deno.test("Turnstile goes on when work fails", async () => {
  const turnstile = new Turnstile(1);
  await rejects(turnstile.pass(() => Promise.reject(new TypeError("no"))), TypeError);
  equal(await turnstile.pass(() => Promise.resolve(1)), 1);
});
