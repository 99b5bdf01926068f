import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { RegistryError } from "../../../src/registry/registry_error.ts";
import { discard, readBody, type Reply } from "../../../src/registry/reply.ts";
import type { TransportRequest } from "../../../src/registry/transport.ts";
import { breakingBody } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { type Exchange, scriptedFetch } from "../../support/scripted_fetch.ts";

const GET: TransportRequest = { operation: "pull r/x:1", method: "GET", url: "https://r.io/v2/x", purpose: "pull" };

/** Plays `script` against one call; what came of it and how long was slept. */
async function play(
  script: readonly Exchange[],
  request: Partial<TransportRequest> = {},
  stallTimeoutMs = 60_000,
): Promise<{ outcome: number | RegistryError; sleptMs: readonly number[]; text: string }> {
  const scripted = scriptedFetch(script);
  const world = registryWorld(scripted.fetch);
  using wired = wire(world, {}, { stallTimeoutMs });
  let outcome: number | RegistryError;
  let text = "";
  try {
    const reply = await wired.transport.send({ ...GET, ...request });
    outcome = reply.status;
    text = new TextDecoder().decode(await readBody(reply, 1000, GET));
  } catch (error: unknown) {
    if (!(error instanceof RegistryError)) throw error;
    outcome = error;
  }
  scripted.finish();
  return { outcome, sleptMs: world.sleptMs, text };
}

function redirect(location: string, status = 307): Response {
  return new Response("moved", { status, headers: { location } });
}

Deno.test("Transport.send tries again after drops, 429 and 5xx, and waits as the server asks", async () => {
  const call = "GET https://r.io/v2/x";
  const { outcome, sleptMs, text } = await play([
    { call, answer: "drop" },
    { call, answer: new Response("", { status: 429, headers: { "retry-after": "9" } }) },
    { call, answer: new Response("", { status: 503 }) },
    { call, answer: new Response("here") },
  ]);
  equal(outcome, 200);
  equal(text, "here");
  deepEqual(sleptMs, [375, 9000, 1500]);
});

Deno.test("Transport.send gives up after four attempts", async () => {
  const call = "GET https://r.io/v2/x";
  const dropped = await play(Array.from({ length: 4 }, () => ({ call, answer: "drop" as const })));
  ok(dropped.outcome instanceof RegistryError);
  equal(dropped.outcome.message, "Cannot pull r/x:1: no connection to r.io: connection reset by peer");
  equal(dropped.outcome.failure.retryable, true);
  const refused = await play(Array.from({ length: 4 }, () => ({ call, answer: new Response("no", { status: 500 }) })));
  equal(refused.outcome, 500);
});

Deno.test("Transport.send does not repeat what must not be repeated", async () => {
  const once = await play([{ call: "PATCH https://r.io/v2/x", answer: "drop" }], { method: "PATCH", retries: false });
  ok(once.outcome instanceof RegistryError);
  const body = new Blob(["x"]).stream();
  const stream = await play([{ call: "PATCH https://r.io/v2/x", answer: "drop" }], { method: "PATCH", body });
  ok(stream.outcome instanceof RegistryError);
  const missing = await play([{ call: "GET https://r.io/v2/x", answer: new Response("", { status: 404 }) }]);
  equal(missing.outcome, 404);
});

Deno.test("Transport.send takes a redirect as the answer when the call carries secrets in its body", async () => {
  const call = "POST https://r.io/v2/x";
  const answer = new Response(null, { status: 307, headers: { location: "https://evil.example/" } });
  const { outcome } = await play([{ call, answer }], { method: "POST", body: "secret", followsRedirects: false });
  equal(outcome, 307);
});

Deno.test("Transport.send keeps credentials on the same origin and strips them elsewhere", async () => {
  const { outcome, text } = await play([
    { call: GET_LINE, headers: { authorization: "Bearer t" }, answer: redirect("/other") },
    {
      call: "GET https://r.io/other",
      headers: { authorization: "Bearer t" },
      answer: redirect("https://cdn.io/b?sig=1"),
    },
    { call: "GET https://cdn.io/b?sig=1", headers: { authorization: null }, answer: redirect("https://cdn.io:8443/c") },
    { call: "GET https://cdn.io:8443/c", headers: { authorization: null }, answer: new Response("blob") },
  ], { authorization: "Bearer t" });
  equal(outcome, 200);
  equal(text, "blob");
});

Deno.test("Transport.send does not give credentials back after a foreign host sent it home over http", async () => {
  const { outcome } = await play([
    { call: GET_LINE, answer: redirect("http://r.io/v2/x") },
    { call: "GET http://r.io/v2/x", headers: { authorization: null }, answer: new Response("") },
  ], { authorization: "Bearer t", isContentAddressed: true });
  equal(outcome, 200);
});

Deno.test("Transport.send refuses endless redirects, downgrades and other schemes", async () => {
  const loop = Array.from({ length: 6 }, () => ({ call: GET_LINE, answer: redirect("/v2/x") }));
  const endless = await play(loop);
  ok(endless.outcome instanceof RegistryError && /more than 5 redirects/.test(endless.outcome.message));
  const downgrade = await play([{ call: GET_LINE, answer: redirect("http://r.io/?token=s") }]);
  ok(downgrade.outcome instanceof RegistryError);
  equal(downgrade.outcome.message, "Cannot pull r/x:1: refused a redirect from https to http://r.io/?token=***");
  equal((await play([{ call: GET_LINE, answer: redirect("file:///etc/passwd") }])).outcome, 307);
  equal(
    (await play([{ call: "POST https://r.io/v2/x", answer: redirect("/a", 302) }], { method: "POST" })).outcome,
    302,
  );
});

Deno.test("Transport.send repeats a small body that breaks off, but not one that is too large", async () => {
  const bytes = new TextEncoder().encode("complete");
  const { text } = await play([
    { call: GET_LINE, answer: new Response(breakingBody(bytes, 3)) },
    { call: GET_LINE, answer: new Response("complete") },
  ], { maxBodyBytes: 100 });
  equal(text, "complete");
  const large = await play([{ call: GET_LINE, answer: new Response("x".repeat(101)) }], { maxBodyBytes: 100 });
  ok(large.outcome instanceof RegistryError && /larger than 100 bytes/.test(large.outcome.message));
});

Deno.test("Transport.send reports a silent server after the last attempt", async () => {
  const { outcome } = await play(
    Array.from({ length: 4 }, () => ({ call: GET_LINE, answer: "silence" as const })),
    {},
    1,
  );
  ok(outcome instanceof RegistryError);
  equal(outcome.message, "Cannot pull r/x:1: no byte from r.io for 0 seconds");
});

Deno.test("Transport.send stops with the signal's reason and names itself", async () => {
  const stop = new AbortController();
  const scripted = scriptedFetch([{ call: GET_LINE, headers: { "user-agent": "kiln" }, answer: "silence" }]);
  using wired = wire(registryWorld(scripted.fetch));
  const work = wired.transport.send({ ...GET, signal: stop.signal });
  await Promise.resolve();
  stop.abort(new TypeError("enough"));
  await rejects(work, /enough/);
});

Deno.test("Transport.send works over real sockets, redirects included", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/go") return redirect("/there");
    return new Response(`${request.method} ${request.headers.get("accept-encoding")}`);
  });
  using wired = wire(registryWorld((url, init) => fetch(url, init)));
  const reply: Reply = await wired.transport.send({ ...GET, url: `http://127.0.0.1:${server.addr.port}/go` });
  equal(new TextDecoder().decode(await readBody(reply, 100, GET)), "GET identity");
  await discard(reply);
  await server.shutdown();
});

const GET_LINE = "GET https://r.io/v2/x";
