import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fetchUnverified } from "../../../src/registry/transport_unverified.ts";
import { TEST_CERTIFICATE_PEM, TEST_KEY_PEM } from "../../support/tls_certificate.ts";

async function withServer(
  answer: (request: Request) => Response | Promise<Response>,
  work: (origin: string) => Promise<void>,
): Promise<void> {
  const tls = { cert: TEST_CERTIFICATE_PEM, key: TEST_KEY_PEM };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {}, ...tls }, answer);
  try {
    await work(`https://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("fetchUnverified talks to a server whose certificate nobody vouches for", async () => {
  const seen: string[] = [];
  await withServer(async (request) => {
    const body = await request.text();
    seen.push(`${request.method} ${request.headers.get("x-a")} ${request.headers.get("content-length")} ${body}`);
    return new Response(`echo ${body}`, { status: 202, headers: { location: "/next" } });
  }, async (origin) => {
    const headers = { "x-a": "1" };
    const bodies = ["text", new TextEncoder().encode("bytes"), new Blob(["stream"]).stream(), undefined];
    for (const body of bodies) {
      const init = body === undefined ? { method: "PUT", headers } : { method: "PUT", headers, body };
      const response = await fetchUnverified(`${origin}/x`, init);
      equal(response.status, 202);
      equal(response.headers.get("location"), "/next");
      ok((await response.text()).startsWith("echo "));
    }
  });
  deepEqual(seen, ["PUT 1 4 text", "PUT 1 5 bytes", "PUT 1 null stream", "PUT 1 0 "]);
});

Deno.test("fetchUnverified gives an empty body for HEAD and 204, and large bodies whole", async () => {
  const large = new Uint8Array(3_000_000).fill(7);
  await withServer((request) => {
    if (request.method === "HEAD") return new Response(null, { headers: { "content-length": "5" } });
    return request.url.endsWith("/none") ? new Response(null, { status: 204 }) : new Response(large);
  }, async (origin) => {
    const head = await fetchUnverified(origin, { method: "HEAD" });
    deepEqual([head.headers.get("content-length"), head.body], ["5", null]);
    equal((await fetchUnverified(`${origin}/none`, {})).body, null);
    equal((await (await fetchUnverified(origin, {})).bytes()).length, large.length);
  });
});

Deno.test("fetchUnverified rejects when nobody listens and when it is stopped", async () => {
  await rejects(fetchUnverified("https://127.0.0.1:1/", {}));
  await rejects(
    fetchUnverified("https://127.0.0.1:1/", { signal: AbortSignal.abort(new TypeError("enough")) }),
    /enough/,
  );
});
