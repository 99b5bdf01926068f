/**
 * The mounts of one RUN, made by the launcher in its own mount namespace. Mount points that are missing are made only inside
 * what has just been mounted, and on the way to them no symlink leads out of the rootfs.
 */
import { InternalError } from "../errors.ts";
import { changeModeOfFile, changeOwnerOfFile, closeFile, createFile, writeFile } from "../sys/file.ts";
import { makeDirectory } from "../sys/inode.ts";
import { bindMount, MOUNT, mount, remount } from "../sys/namespace.ts";
import { joinPath, parentPath, pathComponents, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { resolveInRoot } from "../sys/resolve_in_root.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import type { LaunchMount, LaunchSpec } from "./launch_spec.ts";

const TMPFS_SPARE_BYTES = 1 << 20;
const EXECUTABLE_BITS = 0o111;

/** Makes the mounts of `spec` in their order; `contents` are those of the "content" ones. Throws SystemError. */
export function mountStepMounts(spec: LaunchSpec, contents: readonly Uint8Array[]): void {
  const { mounts, stagingFolder } = spec.sandbox;
  if (contents.length > 0) {
    const total = contents.reduce((sum, content) => sum + content.length, TMPFS_SPARE_BYTES);
    const options = `mode=700,size=${total}`;
    mount({ source: rawPath("tmpfs"), target: stagingFolder, type: "tmpfs", flags: 0, options });
  }
  const pending = [...contents];
  const finish: (() => void)[] = [];
  mounts.forEach((one, index) => {
    const target = mountPoint(spec.root, one);
    finish.push(mountOne(one, target, () => {
      const source = joinPath(stagingFolder, rawPath(String(index)));
      if (one.kind === "content") writeContent(source, one, pending.shift());
      return source;
    }));
  });
  // Only now: mount points inside of a mount that nobody may write to had to be made first.
  for (const makeFinal of finish) makeFinal();
}

/** Makes one mount, with the options that allow mounts inside of it; gives what makes its options final. */
function mountOne(one: LaunchMount, target: RawPath, stage: () => RawPath): () => void {
  switch (one.kind) {
    case "bind":
      bindMount(one.source, target, MOUNT.noDevices);
      return () => one.isReadOnly ? remount(target, MOUNT.noDevices | MOUNT.readOnly) : undefined;
    case "tmpfs": {
      const size = one.sizeBytes === undefined ? "" : `,size=${one.sizeBytes}`;
      const flags = MOUNT.noSuid | MOUNT.noDevices;
      mount({ source: rawPath("tmpfs"), target, type: "tmpfs", flags, options: `mode=1777${size}` });
      return () => undefined;
    }
    case "content": {
      const noExec = (one.mode & EXECUTABLE_BITS) === 0 ? MOUNT.noExec : 0;
      bindMount(stage(), target, MOUNT.noSuid | MOUNT.noDevices | MOUNT.readOnly | noExec);
      return () => undefined;
    }
  }
}

function writeContent(path: RawPath, owner: { uid: number; gid: number; mode: number }, content?: Uint8Array): void {
  if (content === undefined) throw new InternalError("Cannot mount a file: its content was not sent");
  const fd = createFile(AT_CWD, path, 0o600);
  try {
    writeFile(fd, content, path);
    changeOwnerOfFile(fd, owner.uid, owner.gid, path);
    changeModeOfFile(fd, owner.mode, path);
  } finally {
    closeFile(fd);
  }
}

/** The mount point as the launcher sees it. Missing ones are made: the builder has seen to those in the rootfs itself. */
function mountPoint(root: RawPath, one: LaunchMount): RawPath {
  const { inside, outside, inode } = resolveInRoot(root, one.target);
  if (/^\/(?:proc|sys)(?:\/|$)/.test(inside) || inside === "/") {
    throw new InternalError(`Cannot mount at "${pathText(one.target)}": it leads to "${pathText(inside)}"`);
  }
  if (inode !== undefined) return outside;
  let folder = root;
  for (const name of pathComponents(parentPath(inside))) {
    folder = joinPath(folder, name);
    if (lstat(folder) === undefined) makeDirectory(AT_CWD, folder, 0o755);
  }
  const isFolder = one.kind === "tmpfs" || (one.kind === "bind" && one.isFolder);
  if (isFolder) makeDirectory(AT_CWD, outside, 0o755);
  else closeFile(createFile(AT_CWD, outside, 0o644));
  return outside;
}
