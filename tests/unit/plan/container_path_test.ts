import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { resolveDestination, resolvePath, resolveWorkdir } from "../../../src/plan/container_path.ts";

const PATHS: readonly (readonly [workdir: string, path: string, resolved: string, destination: string])[] = [
  ["/", "a", "/a", "/a"],
  ["/a", "b/../c/", "/a/c", "/a/c/"],
  ["/a/b", "../../../x", "/x", "/x"],
  ["/a", "/b//./c", "/b/c", "/b/c"],
  ["/a", "", "/a", "/a/"],
  ["/a", ".", "/a", "/a/"],
  ["/a", "./", "/a", "/a/"],
  ["/a", "b/.", "/a/b", "/a/b/"],
  ["/a", "..", "/", "/"],
  ["/", "", "/", "/"],
  ["/a", "...", "/a/...", "/a/..."],
];

for (const [workdir, path, resolved, destination] of PATHS) {
  Deno.test(`resolvePath and resolveDestination agree when "${path}" is seen from ${workdir}`, () => {
    strictEqual(resolvePath(workdir, path), resolved);
    strictEqual(resolveDestination(workdir, path), destination);
  });
}

const WORKDIRS: readonly (readonly [workdir: string, path: string, next: string])[] = [
  ["/a", "/b//./c/", "/b//./c/"],
  ["/a/", "b/../c/", "/a/c"],
  ["/a/", "", "/a/"],
  ["a", "", "/a"],
  ["a", "b", "/a/b"],
  ["", "", "/"],
  ["", "b", "/b"],
];

for (const [workdir, path, next] of WORKDIRS) {
  Deno.test(`resolveWorkdir gives ${next} when "${path}" follows "${workdir}"`, () => {
    strictEqual(resolveWorkdir(workdir, path), next);
  });
}

Deno.test("resolvePath never leaves the root, whatever the path", () => {
  const part = fc.constantFrom("..", ".", "", "a", "b.c");
  fc.assert(fc.property(fc.array(part), fc.array(part), (workdir, path) => {
    const resolved = resolvePath(`/${workdir.join("/")}`, path.join("/"));
    strictEqual(/^\/$|^(?:\/(?!\.{0,2}(?:\/|$))[^/]+)+$/.test(resolved), true, resolved);
    strictEqual(resolvePath("/", resolved), resolved);
  }));
});
