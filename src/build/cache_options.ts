/** What a build may take from caches, and what it gives back. */
import type { Repository } from "../registry/registry_options.ts";

/** Where a cache is. */
export type CachePlace =
  | { readonly kind: "registry"; readonly repository: Repository }
  /** An OCI image layout; made where there is none. */
  | { readonly kind: "layout"; readonly path: string };

/** Which steps' layers are cached. */
export interface CacheCoverage {
  /** RUN and WORKDIR. */
  readonly runLayers: boolean;
  /** COPY and ADD. */
  readonly copyLayers: boolean;
}

/** The cache of layers. */
export interface CacheOptions extends CacheCoverage {
  /** Where layers are looked for first and new ones are kept; undefined where there is nothing but `sources`. */
  readonly target?: CachePlace;
  /** Where layers are looked for besides, in this order. */
  readonly sources: readonly CachePlace[];
  /** Whether new layers are kept. */
  readonly isWritten: boolean;
  /** Age at which layers are not used any more, milliseconds. */
  readonly ttlMs: number;
}
