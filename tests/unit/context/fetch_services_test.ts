import { equal, rejects } from "node:assert/strict";
import { systemFetchServices } from "../../../src/context/fetch_services.ts";
import { recordingLogger } from "../../support/copy_scene.ts";

Deno.test("systemFetchServices sleeps until the time or the signal", async () => {
  const stop = new AbortController();
  const { sleep, signal } = systemFetchServices({ log: recordingLogger([]), signal: stop.signal });
  await sleep(1, signal);
  const reason = new Error("stop");
  const sleeping = sleep(60_000, signal);
  stop.abort(reason);
  await rejects(sleeping, reason);
  await rejects(sleep(60_000, signal), reason);
});

Deno.test("systemFetchServices calls the network", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => new Response("x"));
  const { fetch } = systemFetchServices({ log: recordingLogger([]), signal: new AbortController().signal });
  equal(await (await fetch(`http://127.0.0.1:${server.addr.port}/`, {})).text(), "x");
  await server.shutdown();
});
