/**
 * Where a build's root filesystem is: our own "/" (inside a container that exists for this build) or a folder. Building in
 * place empties "/", so it is refused where nothing says that "/" is a container's.
 */
import { UnsupportedError } from "../errors.ts";
import { parseMountInfo } from "../sys/mountinfo.ts";

/** What `--isolation` takes. */
export type IsolationChoice = "auto" | "inplace" | "chroot";

/** What a build does. */
export type Isolation = "inplace" | "chroot";

/** What the choice depends on. */
export interface IsolationFacts {
  /** Signs that we run in a container, as {@link containerMarkers} gives them; none outside. */
  readonly containerMarkers: readonly string[];
  /** Whether this program is the executor of its own image, whose container exists for this build alone. */
  readonly isExecutorImage: boolean;
  /** `--force`: the caller takes the risk. */
  readonly isForced: boolean;
}

/** What a machine shows of itself. Nothing here is read by this file. */
export interface MachineTraits {
  /** Those of {@link MARKER_FILES} that exist. */
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** /proc/1/cgroup; empty when it cannot be read. */
  readonly cgroups: string;
  /** /proc/self/mountinfo; empty when it cannot be read. */
  readonly mountInfo: Uint8Array;
}

/** Files that only containers have. */
export const MARKER_FILES = ["/run/.containerenv", "/.dockerenv", "/var/run/secrets/kubernetes.io"] as const;

const CGROUP_MARKERS = [
  "docker",
  "kubepods",
  "containerd",
  "crio",
  "libpod",
  "lxc",
  "garden",
  "buildkit",
  "machine.slice",
];
const CONTAINER_ROOT_TYPES = ["overlay", "aufs", "fuse.fuse-overlayfs"];

/**
 * The isolation of a build: "auto" is in place in a container of the executor image, and chroot elsewhere: a container that
 * is somebody's CI job or workplace must not be emptied. Throws UnsupportedError for "inplace" outside a container unless
 * it is forced.
 */
export function chooseIsolation(choice: IsolationChoice, facts: IsolationFacts): Isolation {
  const isContainer = facts.containerMarkers.length > 0;
  if (choice === "auto") return isContainer && facts.isExecutorImage ? "inplace" : "chroot";
  if (choice === "inplace" && !isContainer && !facts.isForced) {
    throw new UnsupportedError(
      "Cannot build in place: nothing says that this is a container, and the build would empty /",
      {
        hint: "Use --isolation=chroot, or --force where / may be lost",
      },
    );
  }
  return choice;
}

/** Every sign that a machine is a container, as text for a log. */
export function containerMarkers(traits: MachineTraits): readonly string[] {
  const markers = traits.files.map((file) => `file ${file}`);
  if (traits.environment["KUBERNETES_SERVICE_HOST"]) markers.push("variable KUBERNETES_SERVICE_HOST");
  if (traits.environment["container"]) markers.push("variable container");
  const cgroup = CGROUP_MARKERS.find((marker) => traits.cgroups.includes(marker));
  if (cgroup !== undefined) markers.push(`control group with "${cgroup}"`);
  const type = parseMountInfo(traits.mountInfo).findLast((mount) => mount.path === "/")?.type ?? "";
  if (CONTAINER_ROOT_TYPES.includes(type)) markers.push(`root on ${type}`);
  return markers;
}

/** Reads the traits of this machine; `environment` comes from the caller. */
export function readMachineTraits(environment: Readonly<Record<string, string>>): MachineTraits {
  return {
    files: MARKER_FILES.filter((path) => readOr(undefined, () => Deno.lstatSync(path)) !== undefined),
    environment,
    cgroups: readOr("", () => Deno.readTextFileSync("/proc/1/cgroup")),
    mountInfo: readOr(new Uint8Array(), () => Deno.readFileSync("/proc/self/mountinfo")),
  };
}

/** What cannot be read says nothing. */
function readOr<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
