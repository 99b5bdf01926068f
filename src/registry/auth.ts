/**
 * Answers a registry's challenge: Basic, or a Bearer token from the token server that the challenge names. Logins are
 * tried in their order until one is accepted. Source: distribution token specification, oauth2 specification.
 */
import * as z from "zod/mini";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential } from "./credential_program.ts";
import type { Credentials } from "./credentials.ts";
import { RegistryAuthError } from "./registry_error.ts";
import type { Purpose, Repository } from "./registry_options.ts";
import { discard, readBody, replyError } from "./reply.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** What is asked for, and where. */
export interface AuthTarget {
  readonly repository: Repository;
  readonly purpose: Purpose;
  /** Token scopes, such as "repository:a/b:pull,push". */
  readonly scopes: readonly string[];
  /** The registry's own address, "https://host". */
  readonly origin: string;
  /** Reads after "Cannot". */
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
}

/** What the authenticator needs. */
export interface AuthServices {
  readonly transport: Pick<Transport, "send">;
  readonly credentials: Pick<Credentials, "find" | "tried">;
  readonly now: () => number;
}

interface Token {
  readonly text: string;
  readonly expiresAtMs: number;
}

/** Holds the tokens of a build. */
export class Authenticator {
  readonly #services: AuthServices;
  readonly #accepted = new Map<string, Token>();
  readonly #tokens = new Map<string, Promise<Token | undefined>>();

  constructor(services: AuthServices) {
    this.#services = services;
  }

  /** The `Authorization` that was last accepted for `target`, unless it has run out. */
  remembered(target: AuthTarget): string | undefined {
    const token = this.#accepted.get(targetKey(target));
    return token !== undefined && token.expiresAtMs > this.#services.now() ? token.text : undefined;
  }

  /**
   * Values for `Authorization` that may answer the challenges of `header`, best first. The caller tries one after the
   * other, and stops at the first that works; that one is remembered. `rejected` is one that is known not to work.
   * Throws RegistryAuthError when the token server is not to be trusted with a login.
   */
  async *authorizations(header: string, target: AuthTarget, rejected?: string): AsyncGenerator<string> {
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm"));
    const basic = challenges.find(({ scheme }) => scheme === "basic");
    if (bearer === undefined && basic === undefined) return;
    const credentials = await this.#services.credentials.find(target.repository);
    for (const credential of credentials) {
      if (credential.kind === "registry-token") {
        yield this.#offer(target, { text: `Bearer ${credential.token}`, expiresAtMs: Infinity });
      } else if (bearer !== undefined) {
        const token = await this.#token(bearer, target, credential, rejected);
        if (token !== undefined) yield this.#offer(target, token);
      } else if (credential.kind === "basic") {
        yield this.#offer(target, { text: basicAuthorization(credential), expiresAtMs: Infinity });
      }
    }
    if (bearer === undefined || (target.purpose === "push" && credentials.length > 0)) return;
    const anonymous = await this.#token(bearer, target, undefined, rejected);
    if (anonymous !== undefined) yield this.#offer(target, anonymous);
  }

  /** What the reader of a refusal can do: whether logins were there at all. */
  async hint(repository: Repository): Promise<string> {
    const { registry } = repository;
    const found = await this.#services.credentials.find(repository);
    const tried = this.#services.credentials.tried(registry).join("; ");
    if (found.length > 0) return `The credentials for ${registry} do not allow this; tried: ${tried}`;
    const none = `No credentials for ${registry} were found; add them to the docker config.json`;
    return tried === "" ? none : `${none} (${tried})`;
  }

  /** Remembers `token` as accepted; a later offer, made because it was not, takes its place. */
  #offer(target: AuthTarget, token: Token): string {
    this.#accepted.set(targetKey(target), token);
    return token.text;
  }

  async #token(
    challenge: Challenge,
    target: AuthTarget,
    credential: Exclude<Credential, { kind: "registry-token" }> | undefined,
    rejected: string | undefined,
  ): Promise<Token | undefined> {
    const key = JSON.stringify([...challenge.parameters, targetKey(target), credential]);
    const known = await this.#tokens.get(key);
    if (known !== undefined && known.text !== rejected && known.expiresAtMs > this.#services.now()) return known;
    // Another call may have asked while this one waited.
    const current = this.#tokens.get(key);
    if (current !== undefined && (await current) !== known) return await current;
    const asked = this.#requestToken(challenge, target, credential);
    this.#tokens.set(key, asked);
    asked.catch(() => this.#tokens.delete(key));
    return await asked;
  }

  async #requestToken(
    challenge: Challenge,
    target: AuthTarget,
    credential: Exclude<Credential, { kind: "registry-token" }> | undefined,
  ): Promise<Token | undefined> {
    const request = tokenRequest(challenge, target, credential);
    const reply = await this.#services.transport.send(request);
    if (reply.status === 400 || reply.status === 401 || reply.status === 403) {
      await discard(reply);
      return undefined;
    }
    if (reply.status !== 200) throw await replyError(reply, request);
    const bytes = await readBody(reply, MAX_TOKEN_BYTES, request);
    return readToken(bytes, this.#services.now()) ?? refuse(target, "the token server's answer is not a token");
  }
}

function targetKey({ repository, scopes }: AuthTarget): string {
  return JSON.stringify([repository.registry, repository.repository, scopes]);
}

function basicAuthorization(credential: Extract<Credential, { kind: "basic" }>): string {
  const bytes = new TextEncoder().encode(`${credential.username}:${credential.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function tokenRequest(
  challenge: Challenge,
  target: AuthTarget,
  credential: Exclude<Credential, { kind: "registry-token" }> | undefined,
): TransportRequest {
  const url = tokenServer(challenge, target);
  const service = challenge.parameters.get("service");
  const parameters = new URLSearchParams(service === undefined ? [] : [["service", service]]);
  const scopes = wantedScopes(challenge, target);
  const call = { purpose: target.purpose, signal: target.signal, maxBodyBytes: MAX_TOKEN_BYTES };
  const operation = `${target.operation}: get a token from ${url.host}`;
  if (credential?.kind === "identity-token") {
    parameters.set("grant_type", "refresh_token");
    parameters.set("client_id", "kiln");
    parameters.set("refresh_token", credential.token);
    parameters.set("scope", scopes.join(" "));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = parameters.toString();
    return { ...call, operation, method: "POST", url: url.href, headers, body, followsRedirects: false };
  }
  for (const scope of scopes) parameters.append("scope", scope);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  const authorization = credential === undefined ? undefined : basicAuthorization(credential);
  return { ...call, operation, method: "GET", url: url.href, authorization };
}

/** The token server's address. It is never spoken to over plain HTTP on behalf of a registry that is not. */
function tokenServer(challenge: Challenge, target: AuthTarget): URL {
  const realm = challenge.parameters.get("realm") ?? "";
  if (!URL.canParse(realm)) return refuse(target, "the registry names a token server that is not a URL");
  const url = new URL(realm);
  const isAllowed = url.protocol === "https:" || (url.protocol === "http:" && target.origin.startsWith("http:"));
  if (!isAllowed || url.username !== "" || url.password !== "") {
    return refuse(target, `the registry names a token server without TLS, ${url.protocol}//${url.host}`);
  }
  return url;
}

/** Our scopes and the challenge's own, which may name the repository as a registry behind a prefix knows it. */
function wantedScopes(challenge: Challenge, target: AuthTarget): readonly string[] {
  const theirs = (challenge.parameters.get("scope") ?? "").split(" ").filter((scope) =>
    scope.startsWith("repository:")
  );
  const ours = new Set(target.scopes.map((scope) => scope.slice(0, scope.lastIndexOf(":"))));
  const further = theirs.filter((scope) => !ours.has(scope.slice(0, scope.lastIndexOf(":"))));
  return [...target.scopes, ...further.slice(0, MAX_FURTHER_SCOPES)];
}

function readToken(bytes: Uint8Array, nowMs: number): Token | undefined {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Not JSON, so not a token; the caller says so.
    return undefined;
  }
  const parsed = TOKEN_SCHEMA.safeParse(document);
  if (!parsed.success) return undefined;
  const text = parsed.data.token || parsed.data.access_token || "";
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined;
  const lifeSeconds = Math.max(parsed.data.expires_in ?? 0, MIN_TOKEN_SECONDS);
  return { text: `Bearer ${text}`, expiresAtMs: nowMs + (lifeSeconds - EXPIRY_MARGIN_SECONDS) * 1000 };
}

function refuse(target: AuthTarget, reason: string): never {
  const { operation, origin } = target;
  throw new RegistryAuthError({ operation, method: "GET", url: origin, errorCodes: [], retryable: false }, reason);
}

const MAX_TOKEN_BYTES = 256 * 1024;
const MAX_FURTHER_SCOPES = 4;
/** The specification's default life of a token that states none. */
const MIN_TOKEN_SECONDS = 60;
const EXPIRY_MARGIN_SECONDS = 10;
const TOKEN_SCHEMA = z.object({
  token: z.optional(z.string()),
  access_token: z.optional(z.string()),
  expires_in: z.optional(z.number()),
});
