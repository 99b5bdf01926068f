import { deepEqual, equal } from "node:assert/strict";
import { diffTrees } from "../../../src/snapshot/diff_trees.ts";
import { SCANNED_AT_NS, SETTLED_NS, type SpelledNode, spelledTree } from "../../support/spelled_tree.ts";

type Nodes = Readonly<Record<string, SpelledNode>>;

const dir: SpelledNode = { type: "directory", mode: 0o755 };
const touched: SpelledNode = { ...dir, mtimeNs: 9n };
const known: SpelledNode = { content: "A" };
const later: SpelledNode = { ctimeNs: SETTLED_NS + 1n };
const young: SpelledNode = { ctimeNs: SCANNED_AT_NS - 19_000_000n };
const link = (ino: bigint, nlink: number, more: SpelledNode = {}): SpelledNode => ({
  content: "A",
  ino,
  nlink,
  ...more,
});

/** "+" writes, "-" removes. */
function diff(before: Nodes, after: Nodes): string[] {
  return diffTrees(spelledTree(before), spelledTree(after)).map(({ kind, path }) =>
    (kind === "write" ? "+" : "-") + path
  );
}

const CASES: readonly (readonly [name: string, before: Nodes, after: Nodes, changes: string[]])[] = [
  ["nothing is there", {}, {}, []],
  ["all is the same", { "/d": dir, "/d/f": {}, "/l": { type: "symlink", linkTarget: "x" } }, {
    "/d": dir,
    "/d/f": {},
    "/l": { type: "symlink", linkTarget: "x" },
  }, []],
  ["all is new", {}, { "/a": dir, "/a/b": dir, "/a/b/c": {}, "/a.b": {} }, ["+/a", "+/a/b", "+/a/b/c", "+/a.b"]],
  ["a deep file is new", { "/a": dir, "/a/b": dir, "/a/x": {} }, { "/a": dir, "/a/b": dir, "/a/b/c": {}, "/a/x": {} }, [
    "+/a",
    "+/a/b",
    "+/a/b/c",
  ]],
  ["a file is gone", { "/a": dir, "/a/b": {}, "/a/c": {} }, { "/a": touched, "/a/c": {} }, ["+/a", "-/a/b"]],
  ["a file is gone and its directory looks untouched", { "/a": dir, "/a/b": {} }, { "/a": dir }, ["+/a", "-/a/b"]],
  ["a tree is gone", { "/a": dir, "/a/b": dir, "/a/b/c": {}, "/z": {} }, { "/z": {} }, ["-/a"]],
  ["removals come first in each directory", { "/a": dir, "/a/m": {}, "/z": {} }, { "/a": dir, "/a/b": {} }, [
    "-/z",
    "+/a",
    "-/a/m",
    "+/a/b",
  ]],
  ["a tree becomes a file", { "/a": dir, "/a/b": {} }, { "/a": {} }, ["+/a"]],
  ["a file becomes a tree", { "/a": {} }, { "/a": dir, "/a/b": {} }, ["+/a", "+/a/b"]],
  ["a symlink becomes a directory", { "/a": { type: "symlink", linkTarget: "b" } }, { "/a": dir }, ["+/a"]],
  [
    "a directory is made anew",
    { "/a": dir, "/a/b": {}, "/a/c": {} },
    { "/a": touched, "/a/c": { ino: 9n, ...later } },
    [
      "+/a",
      "-/a/b",
      "+/a/c",
    ],
  ],
  ["a directory was only touched", { "/a": dir, "/a/b": {} }, { "/a": touched, "/a/b": {} }, ["+/a"]],
  ["a directory that has changed was touched", { "/a": dir }, { "/a": { ...touched, gid: 5 } }, ["+/a"]],
  ["a mode changed", { "/a": {} }, { "/a": { mode: 0o600, ...later } }, ["+/a"]],
  ["an owner changed", { "/a": {} }, { "/a": { uid: 5, ...later } }, ["+/a"]],
  ["a group changed", { "/a": dir }, { "/a": { ...dir, gid: 5 } }, ["+/a"]],
  ["a time changed by a nanosecond", { "/a": known }, { "/a": { ...known, mtimeNs: SETTLED_NS + 1n } }, ["+/a"]],
  ["a symlink's target changed", { "/a": { type: "symlink", linkTarget: "b" } }, {
    "/a": { type: "symlink", linkTarget: "c" },
  }, ["+/a"]],
  ["a device's number changed", { "/a": { type: "char", rdevMajor: 1 } }, { "/a": { type: "char", rdevMajor: 2 } }, [
    "+/a",
  ]],
  ["content differs", { "/a": { content: "A" } }, { "/a": { content: "B" } }, ["+/a"]],
  ["content is the same in another inode", { "/a": known }, { "/a": { ...known, ino: 99n, ...later } }, []],
  ["content is unknown and the fingerprint differs", { "/a": known }, { "/a": later }, ["+/a"]],
  ["content was unknown and the fingerprint differs", { "/a": {} }, { "/a": { ...known, ...later } }, ["+/a"]],
  ["content is unknown and the fingerprint is settled", { "/a": {} }, { "/a": {} }, []],
  ["content is unknown and the fingerprint is young", { "/a": young }, { "/a": young }, ["+/a"]],
  ["content is the same and the fingerprint is young", { "/a": { ...young, ...known } }, {
    "/a": { ...young, ...known },
  }, []],
  ["sizes differ", { "/a": { ...known, size: 1 } }, { "/a": { ...known, size: 2, ...later } }, ["+/a"]],
  ["names are the beginnings of others", { "/a": dir, "/a/x": {}, "/ab": {} }, {
    "/a": dir,
    "/a/x": {},
    "/a.": {},
    "/ab": {},
  }, [
    "+/a.",
  ]],
  ["the root's first child is gone", { "/a": {}, "/b": {} }, { "/b": {} }, ["-/a"]],
  ["a name is linked anew", { "/a": link(5n, 1) }, { "/a": link(5n, 2, later), "/b": link(5n, 2, later) }, [
    "+/a",
    "+/b",
  ]],
  ["a link has a third name", { "/a": link(5n, 2), "/b": link(5n, 2) }, {
    "/a": link(5n, 3, later),
    "/b": link(5n, 3, later),
    "/c": link(5n, 3, later),
  }, ["+/a", "+/b", "+/c"]],
  ["one of three names is gone", { "/a": link(5n, 3), "/b": link(5n, 3), "/c": link(5n, 3) }, {
    "/b": link(5n, 2, later),
    "/c": link(5n, 2, later),
  }, ["-/a"]],
  ["one of two names is gone", { "/a": link(5n, 2), "/b": link(5n, 2) }, { "/b": link(5n, 1, later) }, ["-/a"]],
  ["a name left its inode", { "/a": link(5n, 2), "/b": link(5n, 2) }, {
    "/a": link(6n, 1, later),
    "/b": link(5n, 1, later),
  }, [
    "+/a",
  ]],
  ["both names left their inode apart", { "/a": link(5n, 2), "/b": link(5n, 2) }, {
    "/a": link(6n, 1, later),
    "/b": link(7n, 1, later),
  }, ["+/a", "+/b"]],
  ["both names left their inode together", { "/a": link(5n, 2), "/b": link(5n, 2) }, {
    "/a": link(6n, 2, later),
    "/b": link(6n, 2, later),
  }, []],
  ["equal files became one", { "/a": link(5n, 1), "/b": link(6n, 1) }, {
    "/a": link(5n, 2, later),
    "/b": link(5n, 2, later),
  }, ["+/a", "+/b"]],
  [
    "two groups swapped a name",
    {
      "/a": link(5n, 2),
      "/b": link(5n, 2),
      "/c": link(6n, 2),
      "/d": link(6n, 2),
    },
    { "/a": link(5n, 2, later), "/b": link(6n, 2, later), "/c": link(5n, 2, later), "/d": link(6n, 2, later) },
    [
      "+/a",
      "+/b",
      "+/c",
      "+/d",
    ],
  ],
  ["equal inode numbers are on different devices", { "/a": link(5n, 2), "/b": link(5n, 2, { dev: 2 }) }, {
    "/a": link(5n, 2),
    "/b": link(5n, 2, { dev: 2 }),
  }, []],
  [
    "a linked symlink lost its other name",
    {
      "/a": { type: "symlink", linkTarget: "x", ino: 5n, nlink: 2 },
      "/b": { type: "symlink", linkTarget: "x", ino: 5n, nlink: 2 },
    },
    { "/a": { type: "symlink", linkTarget: "x", ino: 5n, nlink: 1, ...later } },
    ["-/b"],
  ],
];

for (const [name, before, after, changes] of CASES) {
  Deno.test(`diffTrees finds the changes when ${name}`, () => {
    deepEqual(diff(before, after), changes);
  });
}

Deno.test("diffTrees takes linear time when directories are large", () => {
  const nodes = (prefix: string): Nodes =>
    Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`/${prefix}${String(i).padStart(6, "0")}`, {}]));
  const started = performance.now();
  equal(diff(nodes("a"), nodes("b")).length, 120_000);
  equal(diff(nodes("a"), nodes("a")).length, 0);
  equal(performance.now() - started < 5000, true);
});
