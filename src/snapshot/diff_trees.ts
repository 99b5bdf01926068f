/**
 * What has changed between two states of a root, in the order of a layer. Pure: the scans have gathered all there is to
 * know. Source: image-spec layer.md; BuildKit emits each changed path after all of its parents.
 */
import { ROOT_INDEX, type Tree } from "../rootfs/tree.ts";
import type { RawPath } from "../sys/raw_path.ts";
import { type Counterparts, NONE, relinkedNames } from "./_link_groups.ts";

/** One path of a layer: a node as it is now, or the removal of what lower layers have there with all below it. */
export type Change =
  | { readonly kind: "write"; readonly path: RawPath }
  | { readonly kind: "remove"; readonly path: RawPath };

/**
 * The changes that turn `before` into `after`: parents before children, siblings by their bytes, in each directory
 * removals first. All parents of a changed path are written too; "/" never is. Of a removed directory only its own path
 * is named; of one that something else replaced, only the replacement.
 */
export function diffTrees(before: Tree, after: Tree): Change[] {
  const counterparts = matchPaths(before, after);
  const marked = markChanges(counterparts);
  return new ChangeList(counterparts, marked).collect();
}

/** Steps through both trees at once: both are in the same order. */
function matchPaths(before: Tree, after: Tree): Counterparts {
  const beforeOf = new Int32Array(after.length).fill(NONE);
  const afterOf = new Int32Array(before.length).fill(NONE);
  const pending: [old: number, now: number][] = [[ROOT_INDEX, ROOT_INDEX]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [oldParent, nowParent] = pair;
    let old = oldParent + 1;
    let now = nowParent + 1;
    const oldEnd = before.end(oldParent);
    const nowEnd = after.end(nowParent);
    while (old < oldEnd && now < nowEnd) {
      const oldName = before.name(old);
      const nowName = after.name(now);
      if (oldName === nowName) {
        beforeOf[now] = old;
        afterOf[old] = now;
        if (before.type(old) === "directory" && after.type(now) === "directory") pending.push([old, now]);
      }
      if (oldName <= nowName) old = before.end(old);
      if (nowName <= oldName) now = after.end(now);
    }
  }
  return { before, after, beforeOf, afterOf };
}

/** One flag a node of `after`: whether it is emitted, as it or something below it has changed. */
function markChanges(counterparts: Counterparts): Uint8Array {
  const { after, beforeOf } = counterparts;
  const marked = new Uint8Array(after.length);
  const relinked = relinkedNames(counterparts);
  for (let index = 0; index < after.length; index++) {
    const old = beforeOf[index] ?? NONE;
    if (old === NONE || relinked.has(index) || !isUnchanged(counterparts, old, index)) markWithParents(index);
    else if (hasRemovals(counterparts, old, index)) markWithParents(index);
  }
  return marked;

  function markWithParents(index: number): void {
    for (let at = index; at !== ROOT_INDEX && marked[at] === 0; at = after.parent(at)) marked[at] = 1;
  }
}

/** Whether an image would record the same for both nodes. */
function isUnchanged({ before, after }: Counterparts, old: number, now: number): boolean {
  if (!after.hasSameMetadata(now, before, old)) return false;
  switch (after.type(now)) {
    case "file":
      return hasSameContent(before, after, { old, now });
    case "symlink":
      return after.linkTarget(now) === before.linkTarget(old);
    default:
      return true;
  }
}

/**
 * Equal hashes, or proof by fingerprint. Without hashes an equal fingerprint proves nothing when the file was so young at
 * the earlier scan that a later change would show the same ctime.
 */
function hasSameContent(before: Tree, after: Tree, { old, now }: { old: number; now: number }): boolean {
  if (before.size(old) !== after.size(now)) return false;
  const content = before.content(old);
  const contentNow = after.content(now);
  if (content !== undefined && contentNow !== undefined) return content === contentNow;
  return before.isSettled(old) && after.hasSameFingerprint(now, before, old);
}

function hasRemovals({ before, after, afterOf }: Counterparts, old: number, now: number): boolean {
  if (before.type(old) !== "directory" || after.type(now) !== "directory") return false;
  for (let child = old + 1; child < before.end(old); child = before.end(child)) {
    if (afterOf[child] === NONE) return true;
  }
  return false;
}

/** Collects the changes of marked nodes in order. */
class ChangeList {
  readonly #counterparts: Counterparts;
  readonly #marked: Uint8Array;
  readonly #changes: Change[] = [];

  constructor(counterparts: Counterparts, marked: Uint8Array) {
    this.#counterparts = counterparts;
    this.#marked = marked;
  }

  collect(): Change[] {
    const { after, beforeOf } = this.#counterparts;
    this.#removals(ROOT_INDEX, ROOT_INDEX);
    for (let index = 0; index < after.length;) {
      if (this.#marked[index] === 0) {
        index = after.end(index);
        continue;
      }
      this.#changes.push({ kind: "write", path: after.path(index) });
      if (after.type(index) === "directory") this.#removals(beforeOf[index] ?? NONE, index);
      index++;
    }
    return this.#changes;
  }

  /** The children that the directory `old` had and `now`, the same directory, has not. */
  #removals(old: number, now: number): void {
    const { before, afterOf } = this.#counterparts;
    const isSameDirectory = now === ROOT_INDEX || (old !== NONE && before.type(old) === "directory");
    if (!isSameDirectory) return;
    for (let child = old + 1; child < before.end(old); child = before.end(child)) {
      if (afterOf[child] === NONE) this.#changes.push({ kind: "remove", path: before.path(child) });
    }
  }
}
