/**
 * Hard links between two trees: which names no longer share, or newly share, an inode. A layer must then carry them anew,
 * though their metadata and content are the same. Pure.
 */
import type { Tree } from "../rootfs/tree.ts";

/** Node of the other tree at the same path, by index; NONE where there is none. */
export interface Counterparts {
  readonly before: Tree;
  readonly after: Tree;
  readonly beforeOf: Int32Array;
  readonly afterOf: Int32Array;
}

/** Says that a path is in one tree only. */
export const NONE = -1;

/**
 * The names (indexes of `after`) whose links are not what they were. A name that shares an inode now, but not with the
 * same names as before, is one, with all names of that inode. So is one that has left an inode that other names still
 * have. That a name of a group is gone changes nothing for the others.
 */
export function relinkedNames(counterparts: Counterparts): ReadonlySet<number> {
  const { before, after } = counterparts;
  const relinked = new Set<number>();
  const beforeGroups = linkGroups(before);
  for (const group of linkGroups(after).values()) {
    if (isRegrouped(group, counterparts)) { for (const index of group) relinked.add(index); }
  }
  for (const group of beforeGroups.values()) {
    for (const index of leavers(group, counterparts)) relinked.add(index);
  }
  return relinked;
}

/** Names by inode, of those inodes that have, or may have, several. */
function linkGroups(tree: Tree): Map<bigint, number[]> {
  const groups = new Map<bigint, number[]>();
  for (let index = 0; index < tree.length; index++) {
    if (tree.nlink(index) < 2 || tree.type(index) === "directory") continue;
    const key = inodeKey(tree, index);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  return groups;
}

/** Whether the names did not all share one inode before. */
function isRegrouped(group: readonly number[], { before, beforeOf }: Counterparts): boolean {
  if (group.length < 2) return false;
  let shared: bigint | undefined;
  for (const index of group) {
    const old = beforeOf[index] ?? NONE;
    if (old === NONE) return true;
    const key = inodeKey(before, old);
    shared ??= key;
    if (key !== shared) return true;
  }
  return false;
}

/** Of names that shared an inode: those on another inode now, if they are no longer all on the same one. */
function leavers(group: readonly number[], { before, after, afterOf }: Counterparts): number[] {
  const survivors = group.filter((old) => (afterOf[old] ?? NONE) !== NONE);
  const keys = new Set(survivors.map((old) => inodeKey(after, afterOf[old] ?? NONE)));
  if (keys.size < 2) return [];
  return survivors
    .filter((old) => inodeKey(after, afterOf[old] ?? NONE) !== inodeKey(before, old))
    .map((old) => afterOf[old] ?? NONE);
}

function inodeKey(tree: Tree, index: number): bigint {
  return (BigInt(tree.dev(index)) << 64n) | tree.ino(index);
}
