/**
 * The port through which cached layers are found and kept, and what is wrapped around stores: several in order, and
 * failures that become misses. A cache can make a build faster, never wrong and never fail.
 */
import type { BlobSource } from "../blob/blob_store.ts";
import { errorText } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { DiffId } from "../oci/digest.ts";
import type { CacheKey, Lineage } from "./cache_key.ts";

/** A layer that a step made, under the key of that step. */
export interface CacheEntry {
  readonly key: CacheKey;
  /** The key that later steps go on from: that of the files which the step took, where `key` names their stage alone. */
  readonly resultKey: CacheKey;
  /** The results of RUN that the layer was made on. */
  readonly lineage: Lineage;
  /** The layer as it is stored; its media type is of the OCI family. */
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  /** Where `descriptor` can be opened; verified against it. */
  readonly source: BlobSource;
  /** When the layer was made, milliseconds since 1970, as the history of images has it. */
  readonly createdMs: number;
  /** The instruction, as the history has it. */
  readonly createdBy: string;
}

/** An entry that was found, and where. */
export interface FoundEntry extends CacheEntry {
  /** The store's name. */
  readonly origin: string;
}

/** Keeps entries by key. */
export interface CacheStore {
  /** For messages: "registry.example.com/app/cache". */
  readonly name: string;
  /**
   * The entry of `key`, checked as far as that goes without reading its layer; undefined when there is none or it is too
   * old. Nothing is downloaded but what describes it. Throws BuilderErrors.
   */
  lookup(key: CacheKey, signal: AbortSignal): Promise<FoundEntry | undefined>;
  /** Keeps `entry`, in the place of one with its key. It is there completely or, after a failure, not at all. */
  store(entry: CacheEntry, signal: AbortSignal): Promise<void>;
}

/** How much trouble a store may make. */
export interface Patience {
  /** How long one call may take, milliseconds. */
  readonly lookupMs: number;
  readonly storeMs: number;
  /** After so many failures the store is left alone for the rest of the build. */
  readonly maxFailures: number;
}

/** What a build has. */
export const DEFAULT_PATIENCE: Patience = { lookupMs: 60_000, storeMs: 1_800_000, maxFailures: 3 };

/** Looks in `sources` one after another, and keeps in `target` alone. */
export function tiered(sources: readonly CacheStore[], target: CacheStore | undefined): CacheStore {
  return {
    name: sources.map(({ name }) => name).join(", "),
    async lookup(key, signal): Promise<FoundEntry | undefined> {
      for (const source of sources) {
        const entry = await source.lookup(key, signal);
        if (entry !== undefined) return entry;
      }
      return undefined;
    },
    async store(entry, signal): Promise<void> {
      await target?.store(entry, signal);
    },
  };
}

/**
 * `store` whose failures, and calls that take too long, are misses and entries not kept. The first failure of each kind is
 * a warning; the cancelled build's signal is passed on.
 */
export function forgiving(store: CacheStore, log: Logger, patience: Patience = DEFAULT_PATIENCE): CacheStore {
  let failures = 0;
  const warned = new Set<string>();
  const attempt = async <T>(
    what: string,
    limitMs: number,
    signal: AbortSignal,
    action: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> => {
    if (failures >= patience.maxFailures) return undefined;
    try {
      return await within(limitMs, signal, action);
    } catch (error: unknown) {
      signal.throwIfAborted();
      failures++;
      const message = `Cannot ${what} the cache ${store.name}: ${errorText(error)}`;
      if (warned.has(what)) log.debug(message);
      else log.warn(`${message}; going on without`);
      warned.add(what);
      if (failures === patience.maxFailures) log.warn(`The cache ${store.name} is not used any more in this build`);
      return undefined;
    }
  };
  return {
    name: store.name,
    lookup: (key, signal) => attempt("read", patience.lookupMs, signal, (stop) => store.lookup(key, stop)),
    store: (entry, signal) => attempt("write to", patience.storeMs, signal, (stop) => store.store(entry, stop)),
  };
}

/** Ends after `limitMs` even if `action` does not heed its signal. */
async function within<T>(
  limitMs: number,
  signal: AbortSignal,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    stop.abort(reason);
    stopped.reject(reason);
  };
  const onAbort = (): void => end(signal.reason);
  const timer = setTimeout(() => end(new DOMException(`no answer within ${limitMs} ms`, "TimeoutError")), limitMs);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([action(stop.signal), stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
