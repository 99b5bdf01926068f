/** The flags of the layer cache, kaniko's and `--cache-from`, and what they ask a build for. */
import type { CacheOptions, CachePlace } from "../build/cache_options.ts";
import { parseDuration } from "../dockerfile/parse_duration.ts";
import { errorText, isBuilderError } from "../errors.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import { type Flag, type FlagValues, UsageError } from "./flag.ts";

/** In the order of the help. */
export const CACHE_FLAGS: readonly Flag[] = [
  { name: "cache", kind: "boolean", initial: false, summary: "Reuse layers of earlier builds" },
  {
    name: "cache-repo",
    kind: "text",
    value: "PLACE",
    summary: "Repository, or oci:FOLDER, that holds the cache; <destination>/cache by default",
  },
  { name: "cache-from", kind: "list", value: "PLACE", summary: "Further cache to read" },
  { name: "cache-dir", kind: "text", initial: "/cache", support: "later", summary: "Folder with base images" },
  { name: "cache-ttl", kind: "text", initial: "336h", summary: "Age at which cached layers are not used any more" },
  { name: "cache-copy-layers", kind: "boolean", initial: false, summary: "Cache the layers of COPY and ADD" },
  { name: "cache-run-layers", kind: "boolean", initial: true, summary: "Cache the layers of RUN and WORKDIR" },
  { name: "no-push-cache", kind: "boolean", initial: false, summary: "Read the cache, write nothing to it" },
];

const LAYOUT = "oci:";
const NS_PER_MS = 1_000_000;

/** The cache that the flags ask for; undefined without `--cache`. Throws UsageError. */
export function cacheOptions(
  values: FlagValues,
  destinations: readonly Reference[],
  push: boolean,
): CacheOptions | undefined {
  if (!values.isSet("cache")) return undefined;
  const isWritten = !values.isSet("no-push-cache");
  const named = values.optionalText("cache-repo");
  if (named === undefined && isWritten && !push && !values.isSet("dryrun")) {
    throw new UsageError("Cannot use --cache with --no-push: there is no place for the cache", {
      hint: "Use --cache-repo, or --no-push-cache to read the cache of the destination or of --cache-from",
    });
  }
  const target = named === undefined ? besideDestination(destinations[0]) : parsePlace("cache-repo", named);
  const ttlNs = parseDuration(values.text("cache-ttl"));
  if (ttlNs === undefined || ttlNs < 0) {
    throw new UsageError(`Cannot use "${values.text("cache-ttl")}" for --cache-ttl: expected a duration such as 336h`);
  }
  return {
    ...(target !== undefined && { target }),
    sources: values.list("cache-from").map((text) => parsePlace("cache-from", text)),
    isWritten,
    ttlMs: ttlNs / NS_PER_MS,
    runLayers: values.isSet("cache-run-layers"),
    copyLayers: values.isSet("cache-copy-layers"),
  };
}

function besideDestination(destination: Reference | undefined): CachePlace | undefined {
  if (destination === undefined) return undefined;
  const { registry, repository } = destination;
  return { kind: "registry", repository: { registry, repository: `${repository}/cache` } };
}

function parsePlace(flag: string, text: string): CachePlace {
  if (text.startsWith(LAYOUT)) {
    const path = text.slice(LAYOUT.length);
    if (path === "") throw new UsageError(`Cannot use "${text}" for --${flag}: there is no folder behind "oci:"`);
    return { kind: "layout", path };
  }
  try {
    const { registry, repository, tag, digest } = parseReference(text);
    if (tag === undefined && digest === undefined) return { kind: "registry", repository: { registry, repository } };
  } catch (error: unknown) {
    if (!isBuilderError(error)) throw error;
    throw new UsageError(`Cannot use "${text}" for --${flag}: ${errorText(error)}`, { cause: error });
  }
  throw new UsageError(`Cannot use "${text}" for --${flag}: expected a repository without tag and digest`);
}
