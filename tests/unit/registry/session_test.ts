import { deepEqual, equal, ok } from "node:assert/strict";
import { RegistryAuthError } from "../../../src/registry/registry_error.ts";
import { discard } from "../../../src/registry/reply.ts";
import { fakeRegistry } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { sampleImage, storeImage } from "../../support/sample_image.ts";
import { scriptedFetch } from "../../support/scripted_fetch.ts";

const REPOSITORY = { registry: "r.io", repository: "a/b" };
const CALL = { operation: "pull r.io/a/b:1", method: "GET", url: "/v2/a/b/manifests/1" } as const;
const LOGIN = { env: { KANIKO_R_IO_USER: "u", KANIKO_R_IO_PASSWORD: "p" } };

Deno.test("RegistrySession.send answers the challenge once and goes on with what was accepted", async () => {
  for (const kind of ["basic", "token"] as const) {
    const registry = fakeRegistry({ auth: { kind, username: "u", password: "p" } });
    storeImage(registry, "a/b", "1", sampleImage());
    using wired = wire(registryWorld(registry.fetch, LOGIN));
    const session = wired.session(REPOSITORY, "pull");
    for (let i = 0; i < 2; i++) {
      const reply = await session.send(CALL);
      equal(reply.status, 200);
      await discard(reply);
    }
    const paths = registry.calls().map((call) => call.split("?")[0]);
    const manifest = "GET /v2/a/b/manifests/1";
    deepEqual(paths, kind === "basic" ? [manifest, manifest, manifest] : [manifest, "GET /token", manifest, manifest]);
    ok(registry.seen.at(-1)?.authorization !== null);
  }
});

Deno.test("RegistrySession.failure is a RegistryAuthError with a hint when the login does not suffice", async () => {
  const registry = fakeRegistry({ auth: { kind: "token", username: "u", password: "other" } });
  using wired = wire(registryWorld(registry.fetch, LOGIN));
  const session = wired.session(REPOSITORY, "pull");
  const error = await session.failure(await session.send(CALL), CALL);
  ok(error instanceof RegistryAuthError);
  equal(error.message, "Cannot pull r.io/a/b:1: authentication required (401)");
  ok(error.hint?.startsWith("The credentials for r.io do not allow this"));
});

Deno.test("RegistrySession.send gives no login to another host, nor answers its challenges", async () => {
  const challenge = { "www-authenticate": 'Bearer realm="https://evil.io/token"' };
  const scripted = scriptedFetch([
    {
      call: "GET https://r.io/v2/a/b/manifests/1",
      answer: new Response("", { status: 307, headers: { location: "https://evil.io/x" } }),
    },
    {
      call: "GET https://evil.io/x",
      headers: { authorization: null },
      answer: new Response("", { status: 401, headers: challenge }),
    },
    {
      call: "PUT https://evil.io/up",
      headers: { authorization: null },
      answer: new Response("", { status: 401, headers: challenge }),
    },
  ]);
  using wired = wire(registryWorld(scripted.fetch, LOGIN));
  const session = wired.session(REPOSITORY, "pull");
  equal((await session.send(CALL)).status, 401);
  equal((await session.send({ ...CALL, method: "PUT", url: "https://evil.io/up" })).status, 401);
  scripted.finish();
});

Deno.test("RegistrySession knows its address", () => {
  using wired = wire(registryWorld(fakeRegistry().fetch), { insecure: true });
  equal(wired.session(REPOSITORY, "pull").origin, "https://r.io");
  equal(wired.session(REPOSITORY, "push").origin, "http://r.io");
  equal(wired.session({ registry: "127.0.0.1:5000", repository: "x" }, "pull").origin, "http://127.0.0.1:5000");
  equal(wired.session(REPOSITORY, "pull").path, "/v2/a/b");
});
