/**
 * Where stages' root filesystems come from. One live root at a time in place, any number as folders; a finished stage
 * whose files are still wanted is kept, aside, until the build ends.
 */
import type { Rootfs } from "./rootfs.ts";

/** Makes, keeps and drops the roots of stages. */
export interface Roots {
  /** An empty root for the stage. In place, the root opened before must have been kept or dropped. */
  open(stageIndex: number): Rootfs;
  /** Puts the root aside, its files unchanged, and says where they now are. The old Rootfs must not be used again. */
  keep(rootfs: Rootfs, stageIndex: number): Rootfs;
  /** Removes the root's files. */
  drop(rootfs: Rootfs): void;
}
