import { equal, ok, rejects } from "node:assert/strict";
import { systemRegistryServices } from "../../../src/registry/registry_services.ts";
import { recordingLogger } from "../../support/registry_world.ts";

const { signal } = new AbortController();
const services = systemRegistryServices({ log: recordingLogger([]), env: {}, credentialPaths: [], signal });

Deno.test("systemRegistryServices reads files, and gives undefined for those that do not exist", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "text");
  equal(await services.readTextFile(path), "text");
  equal(await services.readTextFile(`${path}/below`), undefined);
  await Deno.remove(path);
  equal(await services.readTextFile(path), undefined);
});

Deno.test("systemRegistryServices sleeps, and stops sleeping when it is told to", async () => {
  await services.sleep(0, signal);
  const stop = new AbortController();
  const sleeping = services.sleep(60_000, stop.signal);
  stop.abort(new TypeError("enough"));
  await rejects(sleeping, /enough/);
  await rejects(services.sleep(60_000, stop.signal), /enough/);
});

Deno.test("systemRegistryServices tells the time and throws dice", () => {
  ok(services.now() > Date.parse("2024-01-01"));
  const random = services.random();
  ok(random >= 0 && random < 1);
});
