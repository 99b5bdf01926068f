/** The clouds' token services as one fetch, which accept only what is signed and spelled as the real ones want it. */
import { createHash, createHmac, generateKeyPairSync, verify } from "node:crypto";
import type { CloudServices } from "../../src/registry/cloud_call.ts";
import type { FetchLike } from "../../src/registry/registry_services.ts";
import { registryWorld, wire, type Wired } from "./registry_world.ts";

/** AWS keys that the fake knows, by id. */
export const AWS_SECRETS: Readonly<Record<string, string>> = {
  AKIASTATIC: "static/secret+key",
  ASIASESSION: "session-secret",
};
/** The session token that goes with ASIASESSION. */
export const AWS_SESSION_TOKEN = "session/token==";
/** What every ECR login is: user AWS. */
export const ECR_PASSWORD = "ecr:password";
/** A service account's key pair; the fake has the public half. */
export const GOOGLE_KEYS = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** One route: the start of "METHOD url", and its answer; a text body is a 200. */
export type CloudRoute = readonly [start: string, answer: (request: Request) => Response | Promise<Response>];

/** The services, and what was called. */
export interface FakeClouds extends Disposable {
  readonly services: CloudServices;
  readonly wired: Wired;
  /** "METHOD url" of each call. */
  readonly calls: string[];
  readonly logged: readonly string[];
  advance(ms: number): void;
}

export function fakeClouds(
  routes: readonly CloudRoute[],
  given: { readonly env?: Readonly<Record<string, string>>; readonly files?: Readonly<Record<string, string>> } = {},
): FakeClouds {
  const calls: string[] = [];
  const fetch: FetchLike = async (url, init) => {
    const { client: _client, ...plain } = init;
    const name = `${init.method} ${url}`;
    calls.push(name);
    const route = routes.find(([start]) => name.startsWith(start));
    if (route === undefined) throw new TypeError(`no route to ${name}`);
    return await route[1](new Request(url, plain));
  };
  const world = registryWorld(fetch, {
    env: given.env ?? {},
    readTextFile: (path) => Promise.resolve(given.files?.[path]),
  });
  const wired = wire(world);
  return {
    services: { ...world.services, transport: wired.transport },
    wired,
    calls,
    logged: world.logged,
    advance: world.advance,
    [Symbol.dispose]: () => wired[Symbol.dispose](),
  };
}

/** An answer only for calls that are signed rightly for `service` in `region`. */
export function signedAws(
  service: string,
  region: string,
  answer: (body: string, request: Request) => Response,
): CloudRoute[1] {
  return async (request) => {
    const body = await request.text();
    const problem = signatureProblem(request, body, service, region);
    return problem === undefined ? answer(body, request) : new Response(problem, { status: 403 });
  };
}

/** ECR's answer to GetAuthorizationToken. */
export function ecrAnswer(expiresAt: number): Response {
  const data = { authorizationToken: btoa(`AWS:${ECR_PASSWORD}`), expiresAt, proxyEndpoint: "https://x" };
  return Response.json({ authorizationData: [data] });
}

/** What is wrong with the signature, computed here from the request as it came. */
function signatureProblem(request: Request, body: string, service: string, region: string): string | undefined {
  const header = request.headers.get("authorization") ?? "";
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^,]+), SignedHeaders=([^,]+), Signature=(\w{64})$/
    .exec(header);
  if (match === null) return `no signature: ${header}`;
  const [, id = "", day = "", scope = "", names = "", signature = ""] = match;
  if (scope !== `${region}/${service}/aws4_request`) return `scope is ${scope}`;
  const time = request.headers.get("x-amz-date") ?? "";
  if (!time.startsWith(day)) return "the date is not that of the scope";
  for (const needed of ["host", "x-amz-date"]) if (!names.split(";").includes(needed)) return `${needed} is not signed`;
  if (id.startsWith("ASIA") && request.headers.get("x-amz-security-token") !== AWS_SESSION_TOKEN) return "no session";
  const url = new URL(request.url);
  const lines = names.split(";").map((name) => `${name}:${name === "host" ? url.host : request.headers.get(name)}`);
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  const canonical = [request.method, url.pathname, "", ...lines, "", names, hash(body)].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, `${day}/${scope}`, hash(canonical)].join("\n");
  const hmac = (key: string | Uint8Array, text: string): Uint8Array => createHmac("sha256", key).update(text).digest();
  const key = [day, region, service, "aws4_request"].reduce(hmac, new TextEncoder().encode(`AWS4${AWS_SECRETS[id]}`));
  const expected = createHmac("sha256", key).update(toSign).digest("hex");
  return expected === signature ? undefined : "the signature does not match";
}

/** The claims of a JWT that is signed with {@link GOOGLE_KEYS}; throws for any other. */
export function googleClaims(jwt: string): Readonly<Record<string, unknown>> {
  const [header = "", claims = "", signature = ""] = jwt.split(".");
  const bytes = (part: string): Uint8Array =>
    Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  const signed = new TextEncoder().encode(`${header}.${claims}`);
  if (!verify("sha256", signed, GOOGLE_KEYS.publicKey, bytes(signature))) throw new TypeError("not signed by the key");
  const { alg } = JSON.parse(new TextDecoder().decode(bytes(header)));
  if (alg !== "RS256") throw new TypeError(`algorithm ${alg}`);
  return JSON.parse(new TextDecoder().decode(bytes(claims)));
}
