import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Authenticator, type AuthTarget } from "../../../src/registry/auth.ts";
import type { Credential } from "../../../src/registry/credential_program.ts";
import { RegistryAuthError } from "../../../src/registry/registry_error.ts";
import type { Reply } from "../../../src/registry/reply.ts";
import type { TransportRequest } from "../../../src/registry/transport.ts";

const BASIC: Credential = { kind: "basic", username: "u", password: "é" };
const BEARER = 'Bearer realm="https://auth.io/token?x=1",service="reg"';
const TARGET: AuthTarget = {
  repository: { registry: "r.io", repository: "a/b" },
  purpose: "pull",
  scopes: ["repository:a/b:pull"],
  origin: "https://r.io",
  operation: "pull r.io/a/b:1",
};

interface Setup {
  readonly authenticator: Authenticator;
  readonly sent: TransportRequest[];
  advance(ms: number): void;
}

function setup(credentials: readonly Credential[], answer: (request: TransportRequest) => Response): Setup {
  const sent: TransportRequest[] = [];
  let nowMs = 0;
  const transport = {
    send: (request: TransportRequest): Promise<Reply> => {
      sent.push(request);
      const { status, headers, body } = answer(request);
      return Promise.resolve({ status, headers, body, url: request.url });
    },
  };
  const find = (): Promise<readonly Credential[]> => Promise.resolve(credentials);
  const authenticator = new Authenticator({
    transport,
    credentials: { find, tried: () => ["/c.json for r.io"] },
    now: () => nowMs,
  });
  return { authenticator, sent, advance: (ms) => void (nowMs += ms) };
}

async function all(offers: AsyncGenerator<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const offer of offers) list.push(offer);
  return list;
}

Deno.test("Authenticator answers Basic with each login in turn, and nothing without one", async () => {
  const two = setup([BASIC, { kind: "basic", username: "v", password: "p" }], () => new Response());
  const utf8 = btoa(String.fromCharCode(...new TextEncoder().encode("u:é")));
  deepEqual(await all(two.authenticator.authorizations("Basic", TARGET)), [`Basic ${utf8}`, `Basic ${btoa("v:p")}`]);
  equal(two.sent.length, 0);
  deepEqual(await all(setup([], () => new Response()).authenticator.authorizations("Basic", TARGET)), []);
  deepEqual(await all(two.authenticator.authorizations("Negotiate", TARGET)), []);
});

Deno.test("Authenticator fetches a token with the login, then without, and keeps it until it runs out", async () => {
  const { authenticator, sent, advance } = setup([BASIC], () => Response.json({ access_token: "t", expires_in: 100 }));
  equal((await authenticator.authorizations(BEARER, TARGET).next()).value, "Bearer t");
  equal(sent[0]?.url, "https://auth.io/token?x=1&service=reg&scope=repository%3Aa%2Fb%3Apull");
  ok(sent[0]?.authorization?.startsWith("Basic "));
  equal(authenticator.remembered(TARGET), "Bearer t");
  equal(authenticator.remembered({ ...TARGET, scopes: ["repository:a/b:pull,push"] }), undefined);
  await authenticator.authorizations(BEARER, TARGET).next();
  equal(sent.length, 1);
  advance(91_000);
  equal(authenticator.remembered(TARGET), undefined);
  deepEqual(await all(authenticator.authorizations(BEARER, TARGET)), ["Bearer t", "Bearer t"]);
  deepEqual(sent.map((request) => request.authorization !== undefined), [true, true, false]);
});

Deno.test("Authenticator asks once when several calls need the same token at once", async () => {
  const { authenticator, sent } = setup([BASIC], () => Response.json({ token: "t" }));
  await Promise.all([1, 2, 3].map(() => authenticator.authorizations(BEARER, TARGET).next()));
  equal(sent.length, 1);
});

Deno.test("Authenticator asks anew when the token it has was rejected", async () => {
  let count = 0;
  const { authenticator } = setup([BASIC], () => Response.json({ token: `t${++count}` }));
  equal((await authenticator.authorizations(BEARER, TARGET).next()).value, "Bearer t1");
  equal((await authenticator.authorizations(BEARER, TARGET, "Bearer t1").next()).value, "Bearer t2");
});

Deno.test("Authenticator exchanges an identity token and uses a registry token as it is", async () => {
  const { authenticator, sent } = setup(
    [{ kind: "identity-token", token: "idt" }],
    () => Response.json({ token: "t" }),
  );
  await authenticator.authorizations(`${BEARER},scope="repository:proxy/a/b:pull registry:catalog:*"`, TARGET).next();
  equal(sent[0]?.method, "POST");
  equal(sent[0]?.authorization, undefined);
  deepEqual(Object.fromEntries(new URLSearchParams(String(sent[0]?.body))), {
    service: "reg",
    grant_type: "refresh_token",
    client_id: "kiln",
    refresh_token: "idt",
    scope: "repository:a/b:pull repository:proxy/a/b:pull",
  });
  const direct = setup([{ kind: "registry-token", token: "rt" }], () => new Response(null, { status: 401 }));
  equal((await direct.authenticator.authorizations("Bearer", TARGET).next()).value, undefined);
  equal((await direct.authenticator.authorizations(BEARER, TARGET).next()).value, "Bearer rt");
});

Deno.test("Authenticator passes over a login that the token server refuses, and pushes never anonymously", async () => {
  const answer = (request: TransportRequest): Response =>
    request.authorization === undefined ? Response.json({ token: "anonymous" }) : new Response("no", { status: 401 });
  deepEqual(await all(setup([BASIC], answer).authenticator.authorizations(BEARER, TARGET)), ["Bearer anonymous"]);
  const push: AuthTarget = { ...TARGET, purpose: "push" };
  deepEqual(await all(setup([BASIC], answer).authenticator.authorizations(BEARER, push)), []);
});

Deno.test("Authenticator throws RegistryAuthError when the token server cannot be trusted or makes no sense", async () => {
  const cases: readonly [challenge: string, body: string, message: RegExp][] = [
    ['Bearer realm="http://auth.io/token"', "{}", /token server without TLS, http:\/\/auth.io/],
    ['Bearer realm="file:///etc/passwd"', "{}", /without TLS/],
    ['Bearer realm="nonsense"', "{}", /not a URL/],
    [BEARER, "{}", /answer is not a token/],
    [BEARER, "oops", /answer is not a token/],
    [BEARER, JSON.stringify({ token: "a\r\nx: y" }), /answer is not a token/],
  ];
  for (const [challenge, body, message] of cases) {
    const { authenticator, sent } = setup([BASIC], () => new Response(body));
    await rejects(all(authenticator.authorizations(challenge, TARGET)), (error: unknown) => {
      ok(error instanceof RegistryAuthError && message.test(error.message), String(error));
      return true;
    });
    equal(sent.length, challenge === BEARER ? 1 : 0);
  }
});

Deno.test("Authenticator.hint says whether there were credentials", async () => {
  const repository = TARGET.repository;
  ok((await setup([], () => new Response()).authenticator.hint(repository)).startsWith("No credentials for r.io"));
  const refused = await setup([BASIC], () => new Response()).authenticator.hint(repository);
  equal(refused, "The credentials for r.io do not allow this; tried: /c.json for r.io");
});
