/** What the registry code takes from the outside world; tests pass fakes, `systemRegistryServices` is the real thing. */
import type { Logger } from "../log/logger.ts";
import { type ProgramRunner, runCredentialProgram } from "./credential_program.ts";

/** Options of one HTTP call: the standard's, and Deno's client with its own certificates. */
export type FetchInit = RequestInit & { readonly client?: Deno.HttpClient };

/** Makes one HTTP call; the same shape as `fetch`. */
export type FetchLike = (url: string, init: FetchInit) => Promise<Response>;

/** The outside world. */
export interface RegistryServices {
  readonly fetch: FetchLike;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number of [0, 1), for jitter. */
  readonly random: () => number;
  /** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** The text of a file; undefined when it does not exist. */
  readonly readTextFile: (path: string) => Promise<string | undefined>;
  readonly runProgram: ProgramRunner;
  readonly env: Readonly<Record<string, string>>;
  /** Paths where a docker config.json may lie, the strongest first. */
  readonly credentialPaths: readonly string[];
  /** Stops everything. */
  readonly signal: AbortSignal;
}

/** The real outside world, for a process with this environment. */
export function systemRegistryServices(
  given: Pick<RegistryServices, "log" | "env" | "credentialPaths" | "signal">,
): RegistryServices {
  return {
    ...given,
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    random: () => Math.random(),
    sleep: sleepFor,
    readTextFile: readTextFileIfThere,
    runProgram: runCredentialProgram,
  };
}

function sleepFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", stop, { once: true });
  });
}

async function readTextFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
