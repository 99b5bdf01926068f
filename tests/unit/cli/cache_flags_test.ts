import { deepEqual, equal, throws } from "node:assert/strict";
import type { CacheOptions } from "../../../src/build/cache_options.ts";
import { CACHE_FLAGS, cacheOptions } from "../../../src/cli/cache_flags.ts";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";
import { UsageError } from "../../../src/cli/flag.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";
import { parseReference } from "../../../src/oci/reference.ts";

function options(args: readonly string[], destination?: string, push = true): CacheOptions | undefined {
  const parsed = parseFlags(args, EXECUTOR_FLAGS, { name: "executor", summary: "" });
  if (parsed.kind !== "values") throw new TypeError("help was not asked for");
  return cacheOptions(parsed.values, destination === undefined ? [] : [parseReference(destination)], push);
}

const BESIDE = { kind: "registry", repository: { registry: "r.test", repository: "app/cache" } };

Deno.test("cacheOptions is undefined without --cache, whatever else is said", () => {
  equal(options(["--cache-repo=r.test/c", "--cache-ttl=1h"], "r.test/app:1"), undefined);
  equal(options(["--cache=false"], "r.test/app:1"), undefined);
});

Deno.test("cacheOptions has kaniko's defaults", () => {
  deepEqual(options(["--cache"], "r.test/app:1"), {
    target: BESIDE,
    sources: [],
    isWritten: true,
    ttlMs: 14 * 24 * 3600 * 1000,
    runLayers: true,
    copyLayers: false,
  });
});

Deno.test("cacheOptions takes places, age and kinds of layers as they are given", () => {
  const given = ["--cache", "--cache-repo=oci:/c", "--cache-from=r.test/main/cache", "--cache-from=oci:rel"];
  const more = ["--cache-ttl=90m", "--cache-copy-layers", "--cache-run-layers=false", "--no-push-cache"];
  deepEqual(options([...given, ...more]), {
    target: { kind: "layout", path: "/c" },
    sources: [
      { kind: "registry", repository: { registry: "r.test", repository: "main/cache" } },
      { kind: "layout", path: "rel" },
    ],
    isWritten: false,
    ttlMs: 90 * 60 * 1000,
    runLayers: false,
    copyLayers: true,
  });
});

Deno.test("cacheOptions reads the destination's cache without --cache-repo when nothing is written", () => {
  deepEqual(options(["--cache", "--no-push-cache"], "r.test/app:1", false)?.target, BESIDE);
  equal(options(["--cache", "--no-push-cache"], undefined, false)?.target, undefined);
});

const WRONG: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [[], /there is no place for the cache/],
  [["--cache-repo=r.test/c:tag"], /without tag and digest/],
  [["--cache-repo=R.test/C"], /Cannot use "R.test\/C" for --cache-repo/],
  [["--cache-repo=oci:"], /no folder behind/],
  [["--cache-repo=oci:/c", "--cache-from=oci:"], /--cache-from/],
  [["--cache-repo=oci:/c", "--cache-ttl=soon"], /expected a duration/],
  [["--cache-repo=oci:/c", "--cache-ttl=-1h"], /expected a duration/],
];

for (const [args, message] of WRONG) {
  Deno.test(`cacheOptions throws when it is asked for ${args.join(" ") || "nothing"} without pushing`, () => {
    throws(() => options(["--cache", ...args], "r.test/app:1", false), (error: unknown) => {
      return error instanceof UsageError && message.test(error.message);
    });
  });
}

Deno.test("CACHE_FLAGS are part of the executor's flags", () => {
  deepEqual(CACHE_FLAGS.filter((flag) => !EXECUTOR_FLAGS.includes(flag)), []);
});
