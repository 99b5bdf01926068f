/** Run as a program: makes the state of so many files, and prints how many bytes it takes, in the heap and outside of it. */
import type { ContentHash } from "../../src/rootfs/content_hash.ts";
import { ROOT_INDEX, type Tree, TreeBuilder } from "../../src/rootfs/tree.ts";
import { rawPathFromBytes } from "../../src/sys/raw_path.ts";
import type { Inode } from "../../src/sys/stat.ts";

const FILES_EACH = 16;
const encoder = new TextEncoder();

/** A tree of `count` nodes as a scan makes it: each name and hash a string of its own. */
function makeTree(count: number): Tree {
  const builder = new TreeBuilder();
  const inode = {
    mode: 0o644,
    uid: 0,
    gid: 0,
    nlink: 1,
    dev: 2 ** 22,
    rdevMajor: 0,
    rdevMinor: 0,
    size: 1000,
  } as const;
  let directory = ROOT_INDEX;
  for (let index = 0; index < count; index++) {
    const times = { ino: BigInt(index), mtimeNs: BigInt(index) * 1_000_003n, ctimeNs: BigInt(index) * 1_000_033n };
    const isDirectory = index % FILES_EACH === 0;
    const node: Inode = { ...inode, ...times, type: isDirectory ? "directory" : "file" };
    const name = rawPathFromBytes(encoder.encode(`component-${index}.d.ts`));
    const content = index.toString(16).padStart(32, "0") as ContentHash;
    if (isDirectory && directory !== ROOT_INDEX) builder.leave(directory);
    const added = builder.add(isDirectory ? ROOT_INDEX : directory, name, node, isDirectory ? {} : { content });
    if (isDirectory) directory = added;
  }
  if (directory !== ROOT_INDEX) builder.leave(directory);
  return builder.finish(0n);
}

function bytesInUse(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

if (import.meta.main) {
  const count = Number(Deno.args[0]);
  makeTree(1000); // what the first tree of a process costs is not the tree's
  const before = bytesInUse();
  const tree = makeTree(count);
  const after = bytesInUse();
  await Deno.stdout.write(encoder.encode(JSON.stringify({ nodes: tree.length, bytes: after - before })));
}
