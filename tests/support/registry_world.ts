/** The outside world for registry tests: no time passes, nothing is read, the log is kept. */
import type { Logger } from "../../src/log/logger.ts";
import { Connections } from "../../src/registry/connections.ts";
import { Authenticator } from "../../src/registry/auth.ts";
import { Credentials } from "../../src/registry/credentials.ts";
import { RegistryClient } from "../../src/registry/client.ts";
import {
  DEFAULT_REGISTRY_OPTIONS,
  type Purpose,
  type RegistryOptions,
  type Repository,
} from "../../src/registry/registry_options.ts";
import type { FetchLike, RegistryServices } from "../../src/registry/registry_services.ts";
import { RegistrySession } from "../../src/registry/session.ts";
import { Transport, type TransportOptions } from "../../src/registry/transport.ts";

/** Services that remember how long was slept and what was logged. */
export interface RegistryWorld {
  readonly services: RegistryServices;
  readonly sleptMs: number[];
  readonly logged: string[];
  /** Moves the clock. */
  advance(ms: number): void;
}

export function registryWorld(fetch: FetchLike, changes: Partial<RegistryServices> = {}): RegistryWorld {
  const sleptMs: number[] = [];
  const logged: string[] = [];
  let nowMs = 1_800_000_000_000;
  const services: RegistryServices = {
    fetch,
    log: recordingLogger(logged),
    now: () => nowMs,
    random: () => 0.5,
    sleep: (delayMs, signal) => {
      signal.throwIfAborted();
      sleptMs.push(delayMs);
      nowMs += delayMs;
      return Promise.resolve();
    },
    readTextFile: () => Promise.resolve(undefined),
    runProgram: () => Promise.reject(new Error("no such program")),
    env: {},
    credentialPaths: [],
    signal: new AbortController().signal,
    ...changes,
  };
  return { services, sleptMs, logged, advance: (ms) => void (nowMs += ms) };
}

/** A logger that writes "level message" lines into `lines`. */
export function recordingLogger(lines: string[]): Logger {
  const logger: Logger = {
    debug: (message) => void lines.push(`debug ${message}`),
    info: (message) => void lines.push(`info ${message}`),
    warn: (message) => void lines.push(`warn ${message}`),
    error: (message) => void lines.push(`error ${message}`),
    with: () => logger,
  };
  return logger;
}

/** The real parts, wired over `world`; dispose the connections at the end. */
export interface Wired extends Disposable {
  readonly transport: Transport;
  readonly authenticator: Authenticator;
  session(repository: Repository, purpose: Purpose): RegistrySession;
  client(repository: Repository, purpose: Purpose): RegistryClient;
}

export function wire(
  world: RegistryWorld,
  options: Partial<RegistryOptions> = {},
  transportOptions: Partial<TransportOptions> = {},
): Wired {
  const { services } = world;
  const connections = new Connections({ ...DEFAULT_REGISTRY_OPTIONS, ...options }, services);
  const transport = new Transport(connections, services, transportOptions);
  const authenticator = new Authenticator({ transport, credentials: new Credentials(services), now: services.now });
  const session = (repository: Repository, purpose: Purpose): RegistrySession =>
    new RegistrySession(repository, purpose, { connections, transport, authenticator });
  return {
    transport,
    authenticator,
    session,
    client: (repository, purpose) => new RegistryClient(session(repository, purpose)),
    [Symbol.dispose]: () => connections[Symbol.dispose](),
  };
}
