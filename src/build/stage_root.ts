/**
 * A stage's root filesystem together with what the builder knows of its state. Keeps the invariant that the baseline of
 * a RUN describes the files exactly as they were before it.
 */
import { type Change, diffTrees } from "../snapshot/diff_trees.ts";
import { scanTree } from "../snapshot/scan_tree.ts";
import type { ContentHasher, KnownContents } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Tree } from "../rootfs/tree.ts";

/** Scans lazily: only before a RUN, and only when something was written since the last scan. */
export class StageRoot {
  readonly rootfs: Rootfs;
  /** Contents that were written or read since the last scan; writers add to it. */
  readonly known: KnownContents = new Map();
  /** How many layers of its image, from the lowest, the root holds. */
  layersApplied = 0;
  readonly #hasher: ContentHasher;
  readonly #nowMs: () => number;
  #tree: Tree | undefined;
  #isStale = true;

  constructor(rootfs: Rootfs, hasher: ContentHasher, nowMs: () => number) {
    this.rootfs = rootfs;
    this.#hasher = hasher;
    this.#nowMs = nowMs;
  }

  /** Bytes of all files as they were when they were scanned last; undefined where that is not known. */
  get sizeBytes(): number | undefined {
    return this.#isStale ? undefined : this.#tree?.sizeBytes();
  }

  get hasher(): ContentHasher {
    return this.#hasher;
  }

  /** Says that the builder itself has written to the root: the next baseline is scanned anew. */
  markWritten(): void {
    this.#isStale = true;
  }

  /** Says that a RUN was not scanned: nothing is known of any file any more. */
  markUnknown(): void {
    this.known.clear();
    this.#isStale = true;
  }

  /** Records the state before a RUN, or before all steps that make one layer. */
  takeBaseline(): void {
    if (this.#isStale || this.#tree === undefined) this.#tree = this.#scan();
    else this.#tree = this.#tree.withContents(this.known);
    this.known.clear();
    this.#isStale = false;
  }

  /** What has changed since the baseline, in layer order. The new state is the next baseline. */
  changesSinceBaseline(): Change[] {
    const before = this.#tree;
    const after = this.#scan();
    this.#tree = after;
    this.#isStale = false;
    return before === undefined ? [] : diffTrees(before, after);
  }

  #scan(): Tree {
    const nowNs = BigInt(this.#nowMs()) * 1_000_000n;
    return scanTree(this.rootfs, {
      ...(this.#tree && { previous: this.#tree }),
      known: this.known,
      hasher: this.#hasher,
      nowNs,
    });
  }
}
