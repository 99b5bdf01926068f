import { deepEqual, rejects } from "node:assert/strict";
import { splitParents } from "../../../src/rootfs/copy_parents.ts";
import { CopyScene, type TreeText } from "../../support/copy_scene.ts";

const SPLITS: readonly (readonly [pattern: string, root: string, selected: string])[] = [
  ["a/b", "/", "a/b"],
  ["/a/b/", "/", "a/b"],
  ["./a", "/", "a"],
  ["./a/./b", "./a", "b"],
  ["/./b", "/", "b"],
  ["a/./", "a", ""],
  ["a/./b/./c", "a", "b/c"],
  ["a/./../../b", "a", "b"],
  [".", "/", ""],
  ["a/*/./**/x", "a/*", "**/x"],
];

for (const [pattern, root, selected] of SPLITS) {
  Deno.test(`splitParents gives root ${root} when the source is ${pattern}`, () => {
    deepEqual<unknown>(splitParents(pattern), { root, selected });
  });
}

const SOURCE: TreeText = {
  "/x": "d@700@5:6",
  "/x/a.txt": "f:a@640@5:6",
  "/x/y": "d@711",
  "/x/y/b.txt": "f:b",
  "/x/y/c.md": "f:c",
  "/x/y/link": "l:b.txt",
  "/z/b.txt": "f:zb",
  "/file": "f:1",
};

interface Case {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly step?: { readonly exclude?: readonly string[]; readonly chown?: string; readonly chmod?: string };
  readonly root?: TreeText;
  readonly isStage?: boolean;
  readonly ignore?: readonly string[];
  readonly found: TreeText;
}

const CASES: readonly Case[] = [
  {
    name: "a file keeps its parents, with their mode",
    patterns: ["./x/a.txt"],
    found: { "/p": "d", "/p/x": "d@700", "/p/x/a.txt": "f:a@640" },
  },
  {
    name: "parents keep their owner when copied from a stage",
    patterns: ["x/y/c.md"],
    isStage: true,
    found: { "/p": "d", "/p/x": "d@700@5:6", "/p/x/y": "d@711", "/p/x/y/c.md": "f:c" },
  },
  {
    name: "the pivot cuts",
    patterns: ["x/./y/b.txt"],
    found: { "/p": "d", "/p/y": "d@711", "/p/y/b.txt": "f:b" },
  },
  {
    name: "two stars stand for any number of directories",
    patterns: ["**/b.txt"],
    found: { "/p": "d", "/p/x": "d@700", "/p/x/y": "d@711", "/p/x/y/b.txt": "f:b", "/p/z": "d", "/p/z/b.txt": "f:zb" },
  },
  {
    name: "a directory comes with all it holds, links as links",
    patterns: ["x/./y"],
    found: { "/p": "d", "/p/y": "d@711", "/p/y/b.txt": "f:b", "/p/y/c.md": "f:c", "/p/y/link": "l:b.txt" },
  },
  {
    name: "a wildcard that matches nothing makes the destination alone",
    patterns: ["x/*.none"],
    found: { "/p": "d" },
  },
  {
    name: "owner and mode of the flags count for parents too",
    patterns: ["x/y/c.md"],
    step: { chown: "7:8", chmod: "750" },
    found: { "/p": "d@750@7:8", "/p/x": "d@750@7:8", "/p/x/y": "d@750@7:8", "/p/x/y/c.md": "f:c@750@7:8" },
  },
  {
    name: "what is excluded or ignored stays out",
    patterns: ["x", "z"],
    step: { exclude: ["**/b.txt"] },
    ignore: ["x/y/link"],
    found: {
      "/p": "d",
      "/p/x": "d@700",
      "/p/x/a.txt": "f:a@640",
      "/p/x/y": "d@711",
      "/p/x/y/c.md": "f:c",
      "/p/z": "d",
    },
  },
  {
    name: "several roots by wildcard",
    patterns: ["*/./b*"],
    found: { "/p": "d", "/p/b.txt": "f:zb" },
  },
];

for (const { name, patterns, step, root, isStage, ignore, found } of CASES) {
  Deno.test(`findParents: ${name}`, async () => {
    const scene = { source: SOURCE, ...root && { root }, ...isStage && { isStage }, ...ignore && { ignore } };
    using copy = new CopyScene(scene);
    await copy.copy({ patterns, parents: true, destination: "/p/", ...step });
    deepEqual(copy.root(), found);
  });
}

const FAULTS: readonly (readonly [pattern: string, message: RegExp])[] = [
  ["x/none", /^Cannot copy "\/x\/none": not found$/],
  ["x/./none", /^Cannot copy "\/x\/none": not found$/],
  ["none/./a", /^Cannot copy "\/none": not found$/],
  ["file/./a", /^Cannot copy from "file": not a directory$/],
];

for (const [pattern, message] of FAULTS) {
  Deno.test(`findParents throws when told ${pattern}`, async () => {
    using copy = new CopyScene({ source: SOURCE });
    await rejects(copy.copy({ patterns: [pattern], parents: true, destination: "/p/" }), { message });
    deepEqual(copy.root(), {});
  });
}
