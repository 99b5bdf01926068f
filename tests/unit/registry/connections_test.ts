import { equal, ok, rejects } from "node:assert/strict";
import { Connections } from "../../../src/registry/connections.ts";
import { DEFAULT_REGISTRY_OPTIONS, type RegistryOptions } from "../../../src/registry/registry_options.ts";
import type { FetchInit } from "../../../src/registry/registry_services.ts";
import { TEST_AUTHORITY_PEM, TEST_CERTIFICATE_PEM, TEST_KEY_PEM } from "../../support/tls_certificate.ts";

const FILES: Readonly<Record<string, string>> = {
  "/ca.pem": TEST_AUTHORITY_PEM,
  "/cert.pem": TEST_CERTIFICATE_PEM,
  "/key.pem": TEST_KEY_PEM,
  "/text": "hello",
};

function connections(
  changes: Partial<RegistryOptions>,
  call = (url: string, init: FetchInit): Promise<Response> => fetch(url, init),
): Connections {
  return new Connections({ ...DEFAULT_REGISTRY_OPTIONS, ...changes }, {
    fetch: call,
    readTextFile: (path) => Promise.resolve(FILES[path]),
  });
}

Deno.test("Connections trusts a host's own authority and nobody else with it", async () => {
  const tls = { cert: TEST_CERTIFICATE_PEM, key: TEST_KEY_PEM };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {}, ...tls }, () => new Response("hi"));
  const host = `127.0.0.1:${server.addr.port}`;
  using pool = connections({ registryCertificates: new Map([[host, "/ca.pem"]]) });
  const trusted = await pool.fetchFor(host, "pull");
  equal(await (await trusted(`https://${host}/`, {})).text(), "hi");
  const other = await pool.fetchFor("other.io", "pull");
  await rejects(other(`https://${host}/`, {}), TypeError);
  using lax = connections({ skipTlsVerifyRegistries: new Set([host]) });
  equal(await (await (await lax.fetchFor(host, "push"))(`https://${host}/`, {})).text(), "hi");
  await server.shutdown();
});

Deno.test("Connections gives hosts with the same options the same client", async () => {
  const clients = new Set<unknown>();
  using pool = connections({ registryCertificates: new Map([["c.io", "/ca.pem"]]) }, (_url, init) => {
    clients.add(init.client);
    return Promise.resolve(new Response());
  });
  for (const host of ["a.io", "b.io", "a.io", "c.io", "c.io"]) {
    await (await pool.fetchFor(host, "pull"))("http://x", {});
  }
  equal(clients.size, 2);
  ok(!clients.has(undefined));
});

Deno.test("Connections throws FormatError naming a certificate file that cannot be used", async () => {
  const cases: readonly [path: string, message: RegExp][] = [
    ["/missing.pem", /Cannot read "\/missing.pem", a certificate for r.io: it does not exist/],
    ["/text", /Cannot read "\/text", a certificate for r.io: it is not a PEM file/],
  ];
  for (const [path, message] of cases) {
    using pool = connections({ registryCertificates: new Map([["r.io", path]]) });
    await rejects(pool.fetchFor("r.io", "pull"), message);
  }
  const clientCertificate = { certificatePath: "/cert.pem", keyPath: "/missing.pem" };
  using pool = connections({ registryClientCerts: new Map([["r.io", clientCertificate]]) });
  await rejects(pool.fetchFor("r.io", "pull"), /Cannot read "\/missing.pem"/);
});

Deno.test("Connections gives a client certificate to the host that it is for", async () => {
  const clientCertificate = { certificatePath: "/cert.pem", keyPath: "/key.pem" };
  let given: FetchInit | undefined;
  using pool = connections({ registryClientCerts: new Map([["r.io", clientCertificate]]) }, (_url, init) => {
    given = init;
    return Promise.resolve(new Response());
  });
  await (await pool.fetchFor("r.io", "pull"))("https://r.io/", {});
  ok(given?.client !== undefined);
});
