/** Calls to registries with our login: the first 401 is answered, and what was accepted is used from then on. */
import type { Authenticator, AuthTarget } from "./auth.ts";
import type { Connections } from "./connections.ts";
import type { RegistryError } from "./registry_error.ts";
import type { Purpose, Repository } from "./registry_options.ts";
import { type CallName, discard, type Reply, replyError } from "./reply.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** One call within a repository. `url` may be relative to the registry's address. */
export interface SessionRequest extends Omit<TransportRequest, "authorization" | "purpose"> {
  /** Repositories of the same registry that are read from too, for mounting. */
  readonly alsoPulls?: readonly string[];
}

/** What a session needs. */
export interface SessionServices {
  readonly connections: Connections;
  readonly transport: Transport;
  readonly authenticator: Authenticator;
}

/** Calls in the name of one repository, for one purpose. */
export class RegistrySession {
  readonly #services: SessionServices;

  constructor(readonly repository: Repository, readonly purpose: Purpose, services: SessionServices) {
    this.#services = services;
  }

  /** The registry's address: "https://host". */
  get origin(): string {
    const { registry } = this.repository;
    return new URL(`${this.#services.connections.policy(registry, this.purpose).scheme}://${registry}`).origin;
  }

  /** The path of this repository in the API: "/v2/a/b". */
  get path(): string {
    return `/v2/${this.repository.repository}`;
  }

  /** The answer to `request`, whatever its status; throws RegistryError when none came. */
  async send(request: SessionRequest): Promise<Reply> {
    const { alsoPulls = [], ...call } = request;
    const url = new URL(request.url, this.origin);
    const plain: TransportRequest = { ...call, url: url.href, purpose: this.purpose };
    if (url.origin !== this.origin) return await this.#services.transport.send(plain);
    const target = this.#target(request, alsoPulls);
    const authorization = this.#services.authenticator.remembered(target);
    let reply = await this.#services.transport.send({ ...plain, authorization });
    const challenge = reply.headers.get("www-authenticate");
    const isOurs = reply.status === 401 && challenge !== null && new URL(reply.url).origin === this.origin;
    if (!isOurs || request.body instanceof ReadableStream) return reply;
    for await (const next of this.#services.authenticator.authorizations(challenge, target, authorization)) {
      await discard(reply);
      reply = await this.#services.transport.send({ ...plain, authorization: next });
      if (reply.status !== 401) break;
    }
    return reply;
  }

  /** The error that an unwanted answer stands for; reads its body. */
  async failure(reply: Reply, call: CallName): Promise<RegistryError> {
    const isAuth = reply.status === 401 || reply.status === 403;
    return await replyError(
      reply,
      call,
      isAuth ? await this.#services.authenticator.hint(this.repository) : undefined,
    );
  }

  /** Waits as long as is right after failed attempt number `attempt` (from 1). */
  async wait(attempt: number, signal?: AbortSignal): Promise<void> {
    await this.#services.transport.wait(attempt, signal);
  }

  #target(request: SessionRequest, alsoPulls: readonly string[]): AuthTarget {
    const actions = this.purpose === "push" ? "pull,push" : "pull";
    return {
      repository: this.repository,
      purpose: this.purpose,
      scopes: [
        `repository:${this.repository.repository}:${actions}`,
        ...alsoPulls.map((repository) => `repository:${repository}:pull`),
      ],
      origin: this.origin,
      operation: request.operation,
      signal: request.signal,
    };
  }
}
