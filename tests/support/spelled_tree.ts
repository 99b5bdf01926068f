/** Trees spelled out node by node, for tests that need no disk. */
import type { ContentHash } from "../../src/rootfs/content_hash.ts";
import { ROOT_INDEX, Tree, TreeBuilder } from "../../src/rootfs/tree.ts";
import { baseName, parentPath, type RawPath, rawPath } from "../../src/sys/raw_path.ts";
import type { Inode } from "../../src/sys/stat.ts";

/** A node: its inode where it differs from a settled file of root's, and what it holds. */
export interface SpelledNode extends Partial<Inode> {
  readonly content?: string;
  readonly linkTarget?: string;
}

/** When spelled trees were scanned, and a change time long before it. */
export const SCANNED_AT_NS = 1_000_000_000_000n;
export const SETTLED_NS = 1_000_000_000n;

/** The tree of these nodes, which are in walk order. Inode numbers are taken from the path unless given. */
export function spelledTree(nodes: Readonly<Record<string, SpelledNode>>): Tree {
  const builder = new TreeBuilder();
  const open: { readonly path: RawPath; readonly index: number }[] = [];
  const leaveTo = (path: RawPath): number => {
    while (open.length > 0 && open.at(-1)?.path !== path) builder.leave(open.pop()?.index ?? ROOT_INDEX);
    return open.at(-1)?.index ?? ROOT_INDEX;
  };
  for (const [text, node] of Object.entries(nodes)) {
    const path = rawPath(text);
    const parent = leaveTo(parentPath(path));
    const { content, linkTarget, ...inode } = node;
    const index = builder.add(parent, baseName(path), { ...PLAIN, ino: numberOf(text), ...inode }, {
      content: content as ContentHash | undefined,
      linkTarget: linkTarget === undefined ? undefined : rawPath(linkTarget),
    });
    if (node.type === "directory") open.push({ path, index });
  }
  leaveTo("" as RawPath);
  return builder.finish(SCANNED_AT_NS);
}

const PLAIN: Inode = {
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 1,
  mtimeNs: SETTLED_NS,
  ctimeNs: SETTLED_NS,
  dev: 1,
  ino: 0n,
  nlink: 1,
  rdevMajor: 0,
  rdevMinor: 0,
};

function numberOf(text: string): bigint {
  let number = 7n;
  for (const char of text) number = (number * 131n + BigInt(char.charCodeAt(0))) % 0xffff_fffbn;
  return number;
}
