/** Roots as folders, one a stage: used with chroot isolation, where any number of them can be alive. */
import { makeDirectory } from "../sys/inode.ts";
import { joinPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD } from "../sys/stat.ts";
import { Rootfs } from "./rootfs.ts";
import type { Roots } from "./roots.ts";

/** Makes each root as a new folder in `parent`, which exists and belongs to the builder alone. */
export class FolderRoots implements Roots {
  readonly #parent: RawPath;

  constructor(parent: RawPath) {
    this.#parent = parent;
  }

  open(stageIndex: number): Rootfs {
    const path = joinPath(this.#parent, rawPath(String(stageIndex)));
    makeDirectory(AT_CWD, path, 0o755);
    return new Rootfs(path, []);
  }

  keep(rootfs: Rootfs): Rootfs {
    return rootfs;
  }

  drop(rootfs: Rootfs): void {
    rootfs.wipe();
  }
}
