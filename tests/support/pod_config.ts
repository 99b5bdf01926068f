/** The runtime-spec configuration of a pod like the ones that kiln runs in: what Docker grants by default, and nothing more. */

/** One more mount of a pod. */
export interface PodMount {
  /** Path on the host. */
  readonly source: string;
  /** Path in the pod. */
  readonly destination: string;
  readonly isWritable?: boolean;
}

/** What differs from pod to pod. */
export interface PodConfigOptions {
  readonly rootPath: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly mounts: readonly PodMount[];
  readonly cgroupsPath: string;
}

const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

const MASKED_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

const READONLY_PATHS: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const DEFAULT_MOUNTS: readonly (readonly [destination: string, type: string, options: readonly string[]])[] = [
  ["/proc", "proc", ["nosuid", "noexec", "nodev"]],
  ["/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]],
  ["/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]],
  ["/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]],
  ["/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]],
  ["/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]],
];

/** The content of a bundle's config.json: root, Docker's default capabilities, no user namespace, the host's network. */
export function podConfig(options: PodConfigOptions): unknown {
  const capabilities = {
    bounding: DEFAULT_CAPABILITIES,
    effective: DEFAULT_CAPABILITIES,
    permitted: DEFAULT_CAPABILITIES,
  };
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: options.args,
      env: options.env,
      cwd: options.cwd,
      capabilities,
      noNewPrivileges: false,
      oomScoreAdj: 0,
    },
    root: { path: options.rootPath, readonly: false },
    mounts: [
      ...DEFAULT_MOUNTS.map(([destination, type, flags]) => ({ destination, type, source: type, options: flags })),
      ...options.mounts.map(bindMount),
    ],
    linux: {
      cgroupsPath: options.cgroupsPath,
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      resources: { devices: deviceRules() },
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

function bindMount(mount: PodMount): unknown {
  const { source, destination } = mount;
  return { destination, type: "bind", source, options: ["rbind", "rprivate", mount.isWritable ? "rw" : "ro"] };
}

/** Every device node may be made, only the harmless ones opened. */
function deviceRules(): readonly unknown[] {
  const open: readonly (readonly [major: number, minor?: number])[] = [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [
      5,
      1,
    ],
    [5, 2],
    [136],
  ];
  return [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...open.map(([major, minor]) => ({
      allow: true,
      type: "c",
      access: "rwm",
      major,
      ...(minor === undefined ? {} : { minor }),
    })),
  ];
}
