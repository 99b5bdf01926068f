/** A fetch that plays a script: exchanges in order, each checked as it comes; a drop is a rejected call. */
import { equal, ok } from "node:assert/strict";
import type { FetchLike } from "../../src/registry/registry_services.ts";

/** One expected call and what becomes of it. */
export interface Exchange {
  /** "GET http://host/path". */
  readonly call: string;
  /** Headers that must have these values; null for "must be absent". */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** The answer, a drop of the connection, or silence until the call is aborted. */
  readonly answer: Response | "drop" | "silence";
}

/** The fetch, and a check that the whole script was played. */
export interface ScriptedFetch {
  readonly fetch: FetchLike;
  finish(): void;
}

export function scriptedFetch(script: readonly Exchange[]): ScriptedFetch {
  let next = 0;
  return {
    fetch: async (url, init) => {
      const exchange = script[next++];
      ok(exchange !== undefined, `unexpected call ${init.method} ${url}`);
      equal(`${init.method} ${url}`, exchange.call);
      const sent = new Headers(init.headers);
      for (const [name, value] of Object.entries(exchange.headers ?? {})) equal(sent.get(name), value, name);
      if (exchange.answer === "drop") throw new TypeError("connection reset by peer");
      if (exchange.answer === "silence") return await untilAborted(init.signal);
      return exchange.answer;
    },
    finish: () => equal(next, script.length, "the script was not played to its end"),
  };
}

function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}
