/** Layer entries of written paths. */
import { deepEqual } from "node:assert/strict";
import { changesOf } from "../../../src/rootfs/changed_paths.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

const CASES: readonly (readonly [name: string, paths: readonly string[], entries: readonly string[]])[] = [
  ["nothing", [], []],
  ["the root alone", ["/"], []],
  ["parents that were not written", ["/w/x/y/f"], ["/w", "/w/x", "/w/x/y", "/w/x/y/f"]],
  ["a path once", ["/a/b", "/a", "/a/b"], ["/a", "/a/b"]],
  ["walk order", ["/a.b", "/a/c", "/a-b", "/a/b/z"], ["/a", "/a/b", "/a/b/z", "/a/c", "/a-b", "/a.b"]],
];

for (const [name, paths, entries] of CASES) {
  Deno.test(`changesOf gives ${name}`, () => {
    deepEqual(changesOf(paths.map(rawPath)), entries.map((path) => ({ kind: "write", path })));
  });
}
