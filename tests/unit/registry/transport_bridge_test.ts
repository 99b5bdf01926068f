import { equal, match, rejects } from "node:assert/strict";
import { openTlsBridge } from "../../../src/registry/transport_bridge.ts";
import { TEST_CERTIFICATE_PEM, TEST_KEY_PEM } from "../../support/tls_certificate.ts";

Deno.test("openTlsBridge relays to a server whose certificate nobody vouches for", async () => {
  const tls = { cert: TEST_CERTIFICATE_PEM, key: TEST_KEY_PEM };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {}, ...tls },
    () => new Response("hello"),
  );
  const bridge = await openTlsBridge({ host: "127.0.0.1", port: server.addr.port });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: bridge.port });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  match(await new Response(connection.readable).text(), /^HTTP\/1.1 200 OK[\s\S]*hello$/);
  bridge.close();
  await server.shutdown();
});

Deno.test("openTlsBridge takes one connection and tells when the server is not there", async () => {
  const bridge = await openTlsBridge({ host: "127.0.0.1", port: 1 });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: bridge.port });
  await rejects(bridge.broken, /ECONNREFUSED|refused/);
  equal((await new Response(connection.readable).bytes().catch(() => new Uint8Array())).length, 0);
  await rejects(Deno.connect({ hostname: "127.0.0.1", port: bridge.port }));
  bridge.close();
});
