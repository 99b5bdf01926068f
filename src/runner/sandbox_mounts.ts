/**
 * The builder's part of a RUN's mounts where the launcher can mount: mount points in the rootfs, copies of what cannot be
 * shown as it is, and the bytes of secrets for the launcher's stdin. Disposing ends what was begun for the command.
 */
import { UnsupportedError } from "../errors.ts";
import { isWithin, joinPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { resolveInRoot } from "../sys/resolve_in_root.ts";
import { type CommandMount, isFolderMount, orderMounts } from "./command_mount.ts";
import type { FileMount, LaunchMount } from "./launch_spec.ts";
import type { MountPoints } from "./mount_points.ts";

/** What the launcher is to mount. */
export interface SandboxMounts extends AsyncDisposable {
  readonly mounts: readonly LaunchMount[];
  /** The bytes of "content" mounts, in their order. */
  readonly contents: readonly Uint8Array[];
  /** Where the files of targets are now, for a look at the command before it is started. */
  readonly shown: readonly FileMount[];
}

/** Where mounts are prepared. */
export interface SandboxPlace {
  readonly root: RawPath;
  /** An existing folder outside the root, for copies and sockets. */
  readonly folder: RawPath;
  readonly points: MountPoints;
}

/** Prepares `mounts`. Throws DockerfileError and UnsupportedError for targets that cannot be mounted at. */
export async function prepareMounts(mounts: readonly CommandMount[], place: SandboxPlace): Promise<SandboxMounts> {
  await using stack = new AsyncDisposableStack();
  const targets = mounts.map((mount) => ({ ...mount, target: resolveTarget(place.root, mount.target) }));
  const ordered = orderMounts(targets);
  const launchMounts: LaunchMount[] = [];
  const contents: Uint8Array[] = [];
  const shown: FileMount[] = [];
  for (const [index, mount] of ordered.entries()) {
    const holdsOthers = ordered.some(({ target }) => target !== mount.target && isWithin(target, mount.target));
    const isNested = ordered.some(({ target }) => target !== mount.target && isWithin(mount.target, target));
    if (!isNested && !isWithin(mount.target, DEVICES)) {
      place.points.point(mount.target, isFolderMount(mount) ? "directory" : "file");
    }
    const scratch = joinPath(place.folder, rawPath(`mount-${index}`));
    const { launchMount, content } = await prepareOne(mount, { scratch, holdsOthers, stack });
    launchMounts.push(launchMount);
    if (content !== undefined) contents.push(content);
    if (launchMount.kind === "bind") shown.push({ source: launchMount.source, target: mount.target });
  }
  const owned = stack.move();
  return { mounts: launchMounts, contents, shown, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const DEVICES = rawPath("/dev");
const UNMOUNTABLE = /^(?:\/|\/dev|\/(?:proc|sys)(?:\/.*)?)$/;

/** Symlinks of the rootfs followed; those of other mounts' files are the launcher's to follow. */
function resolveTarget(root: RawPath, target: RawPath): RawPath {
  if (isWithin(target, DEVICES) && target !== DEVICES) return target; // the launcher's own /dev, not the rootfs's
  const { inside } = resolveInRoot(root, target);
  if (!UNMOUNTABLE.test(inside)) return inside;
  throw new UnsupportedError(`Cannot mount at "${pathText(target)}": a command's own "${pathText(inside)}" is there`);
}

interface OneMount {
  /** A path that does not exist yet. */
  readonly scratch: RawPath;
  /** Whether mount points must be made inside of it. */
  readonly holdsOthers: boolean;
  readonly stack: AsyncDisposableStack;
}

interface PreparedMount {
  readonly launchMount: LaunchMount;
  readonly content?: Uint8Array;
}

async function prepareOne(mount: CommandMount, { scratch, holdsOthers, stack }: OneMount): Promise<PreparedMount> {
  const { target } = mount;
  switch (mount.kind) {
    case "tree": {
      const { isFolder, isReadOnly, shareable } = mount;
      const isShared = isReadOnly && !holdsOthers && shareable !== undefined;
      if (!isShared) await mount.copyTo(scratch);
      const source = isShared ? shareable : scratch;
      return { launchMount: { kind: "bind", source, target, isFolder, isReadOnly } };
    }
    case "cache": {
      const { folder: source, isReadOnly } = mount;
      return { launchMount: { kind: "bind", source, target, isFolder: true, isReadOnly } };
    }
    case "tmpfs":
      return { launchMount: { kind: "tmpfs", target, sizeBytes: mount.sizeBytes } };
    case "content": {
      const { content, mode, uid, gid } = mount;
      return { launchMount: { kind: "content", target, sizeBytes: content.length, mode, uid, gid }, content };
    }
    case "socket":
      stack.use(mount.listen(scratch));
      return { launchMount: { kind: "bind", source: scratch, target, isFolder: false, isReadOnly: false } };
  }
}
