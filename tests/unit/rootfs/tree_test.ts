import { deepEqual, equal } from "node:assert/strict";
import type { ContentHash } from "../../../src/rootfs/content_hash.ts";
import { CLOCK_TICK_NS, ROOT_INDEX, TreeBuilder } from "../../../src/rootfs/tree.ts";
import { type RawPath, rawPath } from "../../../src/sys/raw_path.ts";
import type { Inode } from "../../../src/sys/stat.ts";
import { SCANNED_AT_NS, SETTLED_NS, type SpelledNode, spelledTree } from "../../support/spelled_tree.ts";

const NODES: Readonly<Record<string, SpelledNode>> = {
  "/a": { type: "directory", mode: 0o1755, uid: 7 },
  "/a/b": { type: "directory" },
  "/a/b/c": { content: "hash", size: 2 ** 40, ino: 2n ** 63n, mtimeNs: -5n, gid: 0xffffffff, nlink: 3, dev: 2 ** 33 },
  "/a/d": { type: "symlink", linkTarget: "b/c" },
  "/e": { type: "block", rdevMajor: 8, rdevMinor: 70_000 },
};

Deno.test("Tree gives back what was added", () => {
  const tree = spelledTree(NODES);
  equal(tree.length, 5);
  deepEqual([0, 1, 2, 3, 4].map((index) => tree.path(index)), Object.keys(NODES));
  deepEqual([0, 1, 2, 3, 4].map((index) => tree.parent(index)), [ROOT_INDEX, 0, 1, 0, ROOT_INDEX]);
  deepEqual([0, 1, 2, 3, 4].map((index) => tree.end(index)), [4, 3, 3, 4, 5]);
  deepEqual([tree.end(ROOT_INDEX), tree.path(ROOT_INDEX)], [5, "/"]);
  const metadata = { type: "file", mode: 0o644, uid: 0, gid: 0xffffffff, mtimeNs: -5n, rdevMajor: 0, rdevMinor: 0 };
  deepEqual(tree.metadata(2), metadata);
  deepEqual([tree.ino(2), tree.dev(2), tree.nlink(2), tree.size(2)], [2n ** 63n, 2 ** 33, 3, 2 ** 40]);
  deepEqual([tree.content(2), tree.linkTarget(3), tree.linkTarget(2)], ["hash", "b/c", undefined]);
  deepEqual([tree.metadata(4).rdevMajor, tree.metadata(4).rdevMinor, tree.type(4)], [8, 70_000, "block"]);
  equal(tree.metadata(0).mode, 0o1755);
});

Deno.test("TreeBuilder keeps all nodes when there are more than it made room for", () => {
  const builder = new TreeBuilder();
  const inode: Inode = {
    type: "file",
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeNs: 0n,
    ctimeNs: 0n,
    dev: 0,
    ino: 0n,
    nlink: 1,
    rdevMajor: 0,
    rdevMinor: 0,
  };
  for (let i = 0; i < 10_000; i++) {
    builder.add(ROOT_INDEX, rawPath(String(i)), { ...inode, ino: BigInt(i), mode: i % 4096 }, {});
  }
  equal(builder.length, 10_000);
  const tree = builder.finish(0n);
  for (const index of [0, 4095, 4096, 8192, 9999]) {
    deepEqual([tree.name(index), tree.ino(index), tree.metadata(index).mode], [
      String(index),
      BigInt(index),
      index % 4096,
    ]);
  }
});

const DIFFERENCES:
  readonly (readonly [field: string, node: SpelledNode, sameFingerprint: boolean, sameMetadata: boolean])[] = [
    ["nothing", {}, true, true],
    ["content", { content: "other" }, true, true],
    ["ino", { ino: 1n }, false, true],
    ["dev", { dev: 9 }, false, true],
    ["nlink", { nlink: 2 }, false, true],
    ["size", { size: 5 }, false, true],
    ["ctimeNs", { ctimeNs: SETTLED_NS + 1n }, false, true],
    ["mtimeNs", { mtimeNs: SETTLED_NS + 1n }, false, false],
    ["mode", { mode: 0o4644 }, false, false],
    ["uid", { uid: 1 }, false, false],
    ["gid", { gid: 1 }, false, false],
    ["type", { type: "fifo" }, false, false],
  ];

for (const [field, node, sameFingerprint, sameMetadata] of DIFFERENCES) {
  Deno.test(`Tree compares fingerprint and metadata when ${field} differs`, () => {
    const before = spelledTree({ "/x": {} });
    const after = spelledTree({ "/x": node });
    equal(before.hasSameFingerprint(0, after, 0), sameFingerprint);
    equal(before.hasSameMetadata(0, after, 0), sameMetadata);
  });
}

Deno.test("Tree compares device numbers as metadata", () => {
  const tree = (rdevMinor: number) => spelledTree({ "/x": { type: "char", rdevMajor: 1, rdevMinor } });
  equal(tree(3).hasSameMetadata(0, tree(3), 0), true);
  equal(tree(3).hasSameMetadata(0, tree(5), 0), false);
});

Deno.test("Tree calls a node settled when it changed more than a tick before the scan", () => {
  const limit = SCANNED_AT_NS - CLOCK_TICK_NS;
  const tree = spelledTree({
    "/a": { ctimeNs: limit - 1n },
    "/b": { ctimeNs: limit },
    "/c": { ctimeNs: SCANNED_AT_NS * 2n },
  });
  deepEqual([0, 1, 2].map((index) => tree.isSettled(index)), [true, false, false]);
});

Deno.test("withContents gives files, and only files, what is known of their inodes", () => {
  const tree = spelledTree({
    "/a": { ino: 1n, content: "old" },
    "/b": { ino: 2n },
    "/c": { ino: 3n, type: "fifo" },
    "/d": {},
  });
  const known = new Map([[1n, "new"], [2n, "two"], [3n, "no"]] as [bigint, ContentHash][]);
  const filled = tree.withContents(known);
  deepEqual([0, 1, 2, 3].map((index) => filled.content(index)), ["new", "two", undefined, undefined]);
  deepEqual([0, 1].map((index) => tree.content(index)), ["old", undefined]);
  equal(filled.path(3), "/d" as RawPath);
  equal(tree.withContents(new Map()), tree);
});

Deno.test("Tree.sizeBytes counts the bytes of files, each inode once", () => {
  const file = { content: "h", size: 10, ino: 7n, nlink: 2 };
  equal(
    spelledTree({ "/a": file, "/b": file, "/c": { content: "h", size: 5 }, "/d": { type: "directory" } }).sizeBytes(),
    15,
  );
});
