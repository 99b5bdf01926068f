/**
 * The mounts of one RUN where nothing can be mounted: their files are put at the targets for the command and removed after
 * it, and what was there before is put aside meanwhile and comes back as it was, so that a scan finds no trace of them.
 */
import { closeFile, createFile, setOwnerAndMode, writeFile } from "../sys/file.ts";
import { makeDirectory, rename, withoutUmask } from "../sys/inode.ts";
import { UnsupportedError } from "../errors.ts";
import { SystemError } from "../sys/libc.ts";
import { baseName, joinPath, parentPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { type CommandMount, isFolderMount, orderMounts } from "./command_mount.ts";
import type { MountPoints, Spot } from "./mount_points.ts";

const TMPFS_MODE = 0o1777;

/** Where mounts are put. */
export interface PlacedOptions {
  readonly points: MountPoints;
  /** An existing folder on the root's file system that no scan sees: what is at a target goes there meanwhile. */
  readonly asideFolder: RawPath;
}

/** Mounts that are in place. Disposing takes everything away again; `points` must be disposed after it. */
export class PlacedMounts implements AsyncDisposable {
  readonly #options: PlacedOptions;
  readonly #removals: (() => Promise<void>)[] = [];

  private constructor(options: PlacedOptions) {
    this.#options = options;
  }

  /** Puts `mounts` in place; after a failure nothing of them is. Throws as {@link MountPoints.point} does. */
  static async place(mounts: readonly CommandMount[], options: PlacedOptions): Promise<PlacedMounts> {
    await using stack = new AsyncDisposableStack();
    const placed = stack.use(new PlacedMounts(options));
    for (const mount of orderMounts(mounts)) await placed.#place(mount);
    stack.move();
    return placed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.points.noteTimes();
    const failures: unknown[] = [];
    for (const remove of this.#removals.splice(0).reverse()) await remove().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  async #place(mount: CommandMount): Promise<void> {
    const spot = this.#options.points.spot(mount.target, isFolderMount(mount) ? "directory" : "file");
    this.#putAside(spot);
    this.#removals.push(() => Promise.resolve(removeTree(spot.path)));
    await this.#fill(mount, spot.path);
    spot.settle();
  }

  #putAside(spot: Spot): void {
    if (spot.inode === undefined) return;
    const { asideFolder } = this.#options;
    const aside = joinPath(asideFolder, rawPath(`aside-${crypto.randomUUID()}`));
    try {
      rename(AT_CWD, spot.path, AT_CWD, aside);
    } catch (error: unknown) {
      if (!(error instanceof SystemError) || !IMMOVABLE.includes(error.errnoName)) throw error;
      const message = `Cannot mount at "${pathText(spot.inside)}": what is there cannot be put aside`;
      throw new UnsupportedError(message, { cause: error, hint: "Mount at a path that the image does not have" });
    }
    this.#removals.push(() => Promise.resolve(putBack(aside, spot.path)));
  }

  async #fill(mount: CommandMount, path: RawPath): Promise<void> {
    switch (mount.kind) {
      case "tree":
        return await mount.copyTo(path);
      case "cache":
        await mount.lend(path);
        this.#removals.push(() => mount.takeBack(path));
        return;
      case "tmpfs":
        return withoutUmask(() => makeDirectory(AT_CWD, path, TMPFS_MODE));
      case "content":
        return writeContent(path, mount);
      case "socket": {
        const socket = mount.listen(path);
        this.#removals.push(() => Promise.resolve(socket[Symbol.asyncDispose]()));
        return;
      }
    }
  }
}

const IMMOVABLE: readonly string[] = ["EXDEV", "EBUSY"];

/** Nobody can read the file before it has its owner and mode. */
function writeContent(path: RawPath, file: Extract<CommandMount, { readonly kind: "content" }>): void {
  const fd = createFile(AT_CWD, path, 0o600);
  try {
    writeFile(fd, file.content, path);
    setOwnerAndMode(fd, file.uid, file.gid, file.mode);
  } finally {
    closeFile(fd);
  }
}

function removeTree(path: RawPath): void {
  new Rootfs(parentPath(path), []).remove(`/${baseName(path)}` as RawPath);
}

/** A command that removed the directory around the target has removed what was in it too. */
function putBack(aside: RawPath, path: RawPath): void {
  try {
    rename(AT_CWD, aside, AT_CWD, path);
  } catch (error: unknown) {
    if (!(error instanceof SystemError) || error.errnoName !== "ENOENT" || lstat(aside) === undefined) throw error;
    removeTree(aside);
  }
}
