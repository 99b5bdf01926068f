/** A registry in memory: the distribution-spec as a function from Request to Response, with knobs for bad days. */
import { createHash } from "node:crypto";
import type { FetchInit, FetchLike } from "../../src/registry/registry_services.ts";

/** How the registry behaves besides the specification. */
export interface FakeRegistryKnobs {
  /** Asks for this login: as Basic, or through its own token server at /token. */
  readonly auth?: { readonly kind: "basic" | "token"; readonly username: string; readonly password: string };
  /** Called before everything else; an answer replaces the registry's own. */
  readonly intercept?: (request: Request) => Response | undefined | Promise<Response | undefined>;
  /** Refuses PATCH with a range, as registries that know only one stream. */
  readonly refusesChunks?: boolean;
  /** Answers every mount with a new upload. */
  readonly refusesMounts?: boolean;
  /** Stated as the digest of every manifest. */
  readonly wrongDigest?: string;
}

/** One call as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
  readonly userAgent: string | null;
}

/** The registry and what happened to it. */
export interface FakeRegistry {
  readonly fetch: FetchLike;
  readonly handle: (request: Request) => Promise<Response>;
  /** Blobs by "repository@digest". */
  readonly blobs: Map<string, Uint8Array<ArrayBuffer>>;
  /** Manifests by "repository:tag" and "repository@digest". */
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Uint8Array<ArrayBuffer> }>;
  readonly seen: SeenRequest[];
  /** "METHOD path" of each call, for short assertions. */
  calls(): string[];
}

interface State {
  readonly knobs: FakeRegistryKnobs;
  readonly registry: FakeRegistry;
  readonly uploads: Map<string, Uint8Array<ArrayBuffer>>;
}

export function fakeRegistry(knobs: FakeRegistryKnobs = {}): FakeRegistry {
  const registry: FakeRegistry = {
    fetch: (url: string, init: FetchInit) => {
      const { client: _client, ...plain } = init;
      return registry.handle(new Request(url, plain));
    },
    handle: (request) => answer(request, state),
    blobs: new Map(),
    manifests: new Map(),
    seen: [],
    calls: () => registry.seen.map(({ method, path }) => `${method} ${path}`),
  };
  const state: State = { knobs, registry, uploads: new Map() };
  return registry;
}

/** A knob: the first `times` calls that `matches` get an answer with `status`. */
export function failing(
  times: number,
  status: number,
  matches: (request: Request) => boolean,
  headers: Record<string, string> = {},
): NonNullable<FakeRegistryKnobs["intercept"]> {
  let left = times;
  return (request) =>
    matches(request) && left-- > 0 ? errorResponse(status, "UNAVAILABLE", "try later", headers) : undefined;
}

/** A body that breaks off with a network error after `count` of its bytes. */
export function breakingBody(bytes: Uint8Array<ArrayBuffer>, count: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isSent = false;
  return new ReadableStream({
    pull(controller): void {
      if (isSent) throw new TypeError("connection reset by peer");
      isSent = true;
      controller.enqueue(bytes.slice(0, count));
    },
  }, { highWaterMark: 0 });
}

export function errorResponse(status: number, code: string, message: string, headers = {}): Response {
  const body = JSON.stringify({ errors: [{ code, message }] });
  return new Response(body, { status, headers: { "content-type": "application/json", ...headers } });
}

async function answer(request: Request, state: State): Promise<Response> {
  const url = new URL(request.url);
  state.registry.seen.push({
    method: request.method,
    url: request.url,
    path: url.pathname + url.search,
    authorization: request.headers.get("authorization"),
    range: request.headers.get("content-range") ?? request.headers.get("range"),
    userAgent: request.headers.get("user-agent"),
  });
  const replaced = await state.knobs.intercept?.(request);
  if (replaced !== undefined) return replaced;
  if (url.pathname === "/token") return tokenResponse(request, url, state);
  const match = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname);
  if (match === null) return errorResponse(404, "UNSUPPORTED", "no such endpoint");
  const [, path = "", kind = "", name = ""] = match;
  const isUpload = name.startsWith("uploads/");
  const repository = path;
  const refused = checkLogin(request, url, repository, state);
  if (refused !== undefined) return refused;
  if (kind === "manifests") return await manifestResponse(request, repository, name, state);
  if (isUpload) return await uploadResponse(request, url, repository, name.slice("uploads/".length), state);
  return blobResponse(request, repository, name, state);
}

function checkLogin(request: Request, url: URL, repository: string, state: State): Response | undefined {
  const { auth } = state.knobs;
  if (auth === undefined) return undefined;
  const given = request.headers.get("authorization");
  const action = request.method === "GET" || request.method === "HEAD" ? "pull" : "push";
  if (auth.kind === "basic") {
    if (given === `Basic ${btoa(`${auth.username}:${auth.password}`)}`) return undefined;
    return errorResponse(401, "UNAUTHORIZED", "authentication required", {
      "www-authenticate": 'Basic realm="fake"',
    });
  }
  const granted = given?.startsWith("Bearer ") ? atob(given.slice("Bearer ".length)).split(" ") : [];
  const allows = granted.some((scope) => scope.startsWith(`repository:${repository}:`) && scope.includes(action));
  if (allows) return undefined;
  return errorResponse(401, "UNAUTHORIZED", "authentication required", {
    "www-authenticate": `Bearer realm="${url.origin}/token",service="fake",scope="repository:${repository}:${action}"`,
  });
}

async function tokenResponse(request: Request, url: URL, { knobs }: State): Promise<Response> {
  const { auth } = knobs;
  let scopes = url.searchParams.getAll("scope");
  if (request.method === "POST") {
    const form = new URLSearchParams(await request.text());
    if (form.get("refresh_token") !== auth?.password) return errorResponse(401, "UNAUTHORIZED", "bad refresh token");
    scopes = (form.get("scope") ?? "").split(" ");
  } else if (request.headers.get("authorization") !== `Basic ${btoa(`${auth?.username}:${auth?.password}`)}`) {
    if (request.headers.has("authorization")) return errorResponse(401, "UNAUTHORIZED", "bad login");
    scopes = [];
  }
  return Response.json({ token: btoa(["none", ...scopes].join(" ")), expires_in: 300 });
}

async function manifestResponse(request: Request, repository: string, name: string, state: State): Promise<Response> {
  const { manifests } = state.registry;
  const key = name.startsWith("sha256:") ? `${repository}@${name}` : `${repository}:${name}`;
  if (request.method === "PUT") {
    const bytes = new Uint8Array(await request.arrayBuffer());
    const manifest = { mediaType: request.headers.get("content-type") ?? "", bytes };
    manifests.set(key, manifest).set(`${repository}@${digestOf(bytes)}`, manifest);
    const headers = { "docker-content-digest": state.knobs.wrongDigest ?? digestOf(bytes) };
    return new Response(null, { status: 201, headers });
  }
  const manifest = manifests.get(key);
  if (manifest === undefined) return errorResponse(404, "MANIFEST_UNKNOWN", "manifest unknown");
  const headers = {
    "content-type": manifest.mediaType,
    "content-length": String(manifest.bytes.length),
    "docker-content-digest": state.knobs.wrongDigest ?? digestOf(manifest.bytes),
  };
  return new Response(request.method === "HEAD" ? null : manifest.bytes, { status: 200, headers });
}

function blobResponse(request: Request, repository: string, digest: string, state: State): Response {
  const bytes = state.registry.blobs.get(`${repository}@${digest}`);
  if (bytes === undefined) return errorResponse(404, "BLOB_UNKNOWN", "blob unknown to registry");
  if (request.method === "HEAD") {
    return new Response(null, { status: 200, headers: { "content-length": String(bytes.length) } });
  }
  const start = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1];
  if (start === undefined) return new Response(bytes, { status: 200 });
  if (Number(start) >= bytes.length) return errorResponse(416, "RANGE", "no such range");
  const headers = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.slice(Number(start)), { status: 206, headers });
}

async function uploadResponse(
  request: Request,
  url: URL,
  repository: string,
  id: string,
  state: State,
): Promise<Response> {
  const { uploads, registry, knobs } = state;
  if (request.method === "POST") return startUpload(url, repository, state);
  const before = uploads.get(id);
  if (before === undefined) return errorResponse(404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
  if (request.method === "DELETE") {
    uploads.delete(id);
    return new Response(null, { status: 204 });
  }
  const location = `/v2/${repository}/blobs/uploads/${id}?_state=${before.length}`;
  if (request.method === "GET") {
    const headers = { location, range: `0-${Math.max(0, before.length - 1)}` };
    return new Response(null, { status: 204, headers });
  }
  const sent = new Uint8Array(await request.arrayBuffer());
  const range = request.headers.get("content-range");
  if (range !== null && knobs.refusesChunks === true) return errorResponse(416, "RANGE", "chunks are not supported");
  if (range !== null && !range.startsWith(`${before.length}-`)) return errorResponse(416, "RANGE", "wrong offset");
  const bytes = new Uint8Array([...before, ...sent]);
  uploads.set(id, bytes);
  if (request.method === "PATCH") {
    return new Response(null, { status: 202, headers: { location, range: `0-${bytes.length - 1}` } });
  }
  const digest = url.searchParams.get("digest") ?? "";
  uploads.delete(id);
  if (digest !== digestOf(bytes)) return errorResponse(400, "DIGEST_INVALID", "provided digest did not match");
  registry.blobs.set(`${repository}@${digest}`, bytes);
  return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
}

function startUpload(url: URL, repository: string, { uploads, registry, knobs }: State): Response {
  const mount = url.searchParams.get("mount");
  const from = registry.blobs.get(`${url.searchParams.get("from")}@${mount}`);
  if (mount !== null && from !== undefined && knobs.refusesMounts !== true) {
    registry.blobs.set(`${repository}@${mount}`, from);
    return new Response(null, { status: 201 });
  }
  const id = `upload-${registry.seen.length}`;
  uploads.set(id, new Uint8Array());
  return new Response(null, { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/${id}` } });
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
