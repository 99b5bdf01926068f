/**
 * The mounts around a command, made in a mount namespace of its own: the rootfs without usable device nodes, a fresh /dev,
 * /proc and /sys with the places masked that docker masks, and private copies of files that belong to the host.
 * Sources: runtime-spec, default filesystems and devices; docker's masked and read-only paths.
 */
import { UnsupportedError } from "../errors.ts";
import { makeDirectory, makeNode, symlink } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { bindMount, isPermitted, makeMountsPrivate, MOUNT, mount, remount } from "../sys/namespace.ts";
import { joinPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import { DEVICE_NODES } from "./device_nodes.ts";
import type { LaunchSpec, Refusal } from "./launch_spec.ts";
import { mountStepMounts } from "./launch_step_mounts.ts";

const CONFINED = MOUNT.noSuid | MOUNT.noDevices | MOUNT.noExec;
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const READ_ONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const DEVICE_LINKS = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
  ["ptmx", "pts/ptmx"],
] as const;

/** The kernel does not allow a part of the sandbox that a simpler one can do without. */
export class SandboxRefusal extends UnsupportedError {
  constructor(readonly what: Refusal) {
    super(`Cannot make a sandbox: the kernel refuses its ${what}`);
  }
}

/**
 * Mounts everything below `spec.root`, whose mount points exist. The files come first: while /proc is not mounted yet,
 * nothing in the rootfs can lead to a file of the host. `contents` are those of the "content" mounts.
 */
export function mountSandbox(spec: LaunchSpec, contents: readonly Uint8Array[], hasOwnIpc: boolean): void {
  makeMountsPrivate();
  bindMount(spec.root, spec.root, MOUNT.noDevices, MOUNT.recursive);
  for (const file of spec.sandbox.files) bindMount(file.source, file.target, MOUNT.noDevices);
  mountDevices(inRoot(spec, "/dev"), hasOwnIpc);
  mountStepMounts(spec, contents);
  mountProc(spec);
  mountSys(inRoot(spec, "/sys"));
  for (const path of READ_ONLY_PATHS) makeReadOnly(inRoot(spec, path));
  for (const path of MASKED_PATHS) mask(spec, inRoot(spec, path));
}

function inRoot(spec: LaunchSpec, path: string): RawPath {
  return joinPath(spec.root, rawPath(path.slice(1)));
}

/**
 * A tmpfs with the standard devices. Each node is bound onto itself before devices are switched off for the tmpfs, so that
 * these nodes work and those that a command makes (it has MKNOD) do not: one of them could be the host's disk.
 */
function mountDevices(dev: RawPath, hasOwnIpc: boolean): void {
  const flags = MOUNT.noSuid | MOUNT.noExec;
  mount({ source: rawPath("tmpfs"), target: dev, type: "tmpfs", flags, options: "mode=755,size=65536k" });
  for (const { name, rdevMajor, rdevMinor } of DEVICE_NODES) {
    const node = joinPath(dev, rawPath(name));
    makeNode(AT_CWD, node, { type: "char", mode: 0o666, rdevMajor, rdevMinor });
    bindMount(node, node);
  }
  for (const [name, target] of DEVICE_LINKS) symlink(AT_CWD, joinPath(dev, rawPath(name)), rawPath(target));
  remount(dev, CONFINED);
  mountTerminals(makeMountPoint(dev, "pts"));
  const shm = makeMountPoint(dev, "shm");
  mount({ source: rawPath("shm"), target: shm, type: "tmpfs", flags: CONFINED, options: "mode=1777,size=65536k" });
  if (hasOwnIpc) mountMessageQueues(makeMountPoint(dev, "mqueue"));
}

function makeMountPoint(parent: RawPath, name: string): RawPath {
  const path = joinPath(parent, rawPath(name));
  makeDirectory(AT_CWD, path, 0o755);
  return path;
}

function mountTerminals(target: RawPath): void {
  const flags = MOUNT.noSuid | MOUNT.noExec;
  const options = "newinstance,ptmxmode=0666,mode=0620";
  const mountWith = (text: string): void =>
    mount({ source: rawPath("devpts"), target, type: "devpts", flags, options: text });
  if (!isPermitted(() => mountWith(`${options},gid=5`))) mountWith(options);
}

/** Kernels without message queues say ENODEV; commands can do without. */
function mountMessageQueues(target: RawPath): void {
  try {
    mount({ source: rawPath("mqueue"), target, type: "mqueue", flags: CONFINED });
  } catch (error: unknown) {
    if (!(error instanceof SystemError)) throw error;
  }
}

function mountProc(spec: LaunchSpec): void {
  const target = inRoot(spec, "/proc");
  if (isPermitted(() => mount({ source: rawPath("proc"), target, type: "proc", flags: CONFINED }))) return;
  // A /proc of another PID namespace does not know this process: better to share the processes then.
  if (spec.sandbox.hasOwnPids) throw new SandboxRefusal("proc");
  bindMount(rawPath("/proc"), target, CONFINED, MOUNT.recursive);
}

function mountSys(target: RawPath): void {
  const flags = CONFINED | MOUNT.readOnly;
  if (isPermitted(() => bindMount(rawPath("/sys"), target, flags))) return;
  bindMount(rawPath("/sys"), target, flags, MOUNT.recursive);
}

function makeReadOnly(path: RawPath): void {
  if (lstat(path) !== undefined) bindMount(path, path, CONFINED | MOUNT.readOnly, MOUNT.recursive);
}

function mask(spec: LaunchSpec, path: RawPath): void {
  const inode = lstat(path);
  if (inode === undefined) return;
  if (inode.type !== "directory") return bindMount(inRoot(spec, "/dev/null"), path);
  mount({
    source: rawPath("tmpfs"),
    target: path,
    type: "tmpfs",
    flags: CONFINED | MOUNT.readOnly,
    options: "size=0k",
  });
}
