import { deepEqual, equal, rejects } from "node:assert/strict";
import type { BuildRequest } from "../../../src/build/build_request.ts";
import { buildSoundly, openLayerCache } from "../../../src/build/cached_build.ts";
import type { CacheOptions } from "../../../src/build/cache_options.ts";
import { LayerCache } from "../../../src/build/layer_cache.ts";
import { buildRequest } from "../../../src/cli/build_request.ts";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";
import { FormatError } from "../../../src/errors.ts";
import { createRegistry, type Registry } from "../../../src/registry/registry.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../../src/registry/registry_options.ts";
import { entryOf, keyOf } from "../../support/cache_entries.ts";
import { fakeRegistry } from "../../support/fake_registry.ts";
import { recordingLogger, registryWorld } from "../../support/registry_world.ts";
import { testServices } from "../../support/stage_world.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const COVERAGE = { runLayers: true, copyLayers: true };
const OPTIONS: CacheOptions = { sources: [], isWritten: true, ttlMs: 1000, ...COVERAGE };
const KEY = keyOf("a");

function requestOf(cache: CacheOptions | undefined, args: readonly string[] = []): BuildRequest {
  const parsed = parseFlags(["--no-push", ...args], EXECUTOR_FLAGS, { name: "executor", summary: "" });
  if (parsed.kind !== "values") throw new TypeError("help was not asked for");
  return { ...buildRequest(parsed.values, {}), ...(cache && { cache }) };
}

function registry(fake = fakeRegistry()): Registry {
  return createRegistry(DEFAULT_REGISTRY_OPTIONS, registryWorld(fake.fetch).services);
}

Deno.test("openLayerCache opens nothing unless it is asked, or where one layer is wanted for all", async () => {
  const lines: string[] = [];
  const services = { ...testServices("/"), log: recordingLogger(lines) };
  using registries = registry();
  equal(await openLayerCache(requestOf(undefined), registries, services), undefined);
  equal(await openLayerCache(requestOf(OPTIONS, ["--single-snapshot"]), registries, services), undefined);
  deepEqual(lines, ["warn The cache is not used: it holds the layers of steps, and this image gets one layer for all"]);
});

Deno.test("openLayerCache goes on without a folder that cannot be a cache", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const lines: string[] = [];
  const services = { ...testServices("/"), log: recordingLogger(lines) };
  using registries = registry();
  const cache = { ...OPTIONS, target: { kind: "layout", path: `${folder.path}/file` } } as const;
  equal(await openLayerCache(requestOf(cache), registries, services), undefined);
  equal(lines.length, 1);
  equal(lines[0]?.startsWith("warn Cannot open the cache oci:"), true);
});

Deno.test("openLayerCache writes to its target alone, and to nothing when it may not", async () => {
  await using folder = await makeTempDir();
  const places = ["target", "source"].map((name) => ({ kind: "layout", path: `${folder.path}/${name}` } as const));
  const [target, source] = places;
  using registries = registry();
  const services = testServices("/");
  const entry = entryOf(KEY, "x");
  for (const isWritten of [false, true]) {
    const options = { ...OPTIONS, isWritten, ...(target && { target }), sources: source ? [source] : [] };
    const cache = await openLayerCache(requestOf(options), registries, services);
    cache?.keep(entry);
    await cache?.settle();
    const again = await openLayerCache(requestOf(options), registries, services);
    equal((await again?.find(KEY, entry.lineage))?.diffId, isWritten ? entry.diffId : undefined);
  }
  equal([...Deno.readDirSync(`${folder.path}/source/blobs/sha256`)].length, 0);
});

Deno.test("openLayerCache takes a repository of a registry", async () => {
  const fake = fakeRegistry();
  using registries = registry(fake);
  const repository = { registry: "r.test", repository: "app/cache" };
  const options = { ...OPTIONS, target: { kind: "registry", repository } } as const;
  const cache = await openLayerCache(requestOf(options), registries, testServices("/"));
  cache?.keep(entryOf(KEY, "x"));
  await cache?.settle();
  equal(fake.manifests.has(`app/cache:${KEY}`), true);
});

function distrusting(faults: number): { readonly cache: LayerCache; readonly attempt: () => Promise<string> } {
  const store = { name: "", lookup: () => Promise.resolve(undefined), store: () => Promise.resolve() };
  const cache = new LayerCache(store, COVERAGE, testServices("/"));
  let attempts = 0;
  const attempt = (): Promise<string> => {
    if (attempts++ >= faults) return Promise.resolve(`after ${attempts}`);
    cache.distrust(keyOf(String(attempts)));
    return Promise.reject(new FormatError("damaged"));
  };
  return { cache, attempt };
}

Deno.test("buildSoundly begins anew while entries of the cache are to blame", async () => {
  const { cache, attempt } = distrusting(2);
  const wiped: boolean[] = [];
  const request = requestOf(OPTIONS);
  const result = await buildSoundly(cache, request, testServices("/"), ({ root }) => {
    wiped.push(root.preCleanup);
    return attempt();
  });
  deepEqual([result, wiped], ["after 3", [false, true, true]]);
});

Deno.test("buildSoundly passes on a failure that the cache has nothing to do with", async () => {
  const { cache } = distrusting(0);
  const fail = (): Promise<string> => Promise.reject(new FormatError("broken"));
  await rejects(buildSoundly(cache, requestOf(OPTIONS), testServices("/"), fail), /broken/);
  await rejects(buildSoundly(undefined, requestOf(undefined), testServices("/"), fail), /broken/);
});
