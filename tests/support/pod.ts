/**
 * Runs the executor image in a pod under runc, as an ordinary unprivileged container would: root with Docker's default
 * capabilities, default mounts and masked paths, no user namespace, the host's network, a read-only /workspace.
 */
import { type PodPeak, preparePodCgroup, watchPeakRss } from "./pod_memory.ts";
import { podConfig, type PodMount } from "./pod_config.ts";
import { mustRun, runCommand } from "./run_command.ts";
import { makeTempDir, type TempDir } from "./temp_dir.ts";

const DEFAULT_TIMEOUT_MS = 600_000;
const IMAGE_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kaniko",
  HOME: "/root",
  container: "oci",
  USER: "root",
  DOCKER_CONFIG: "/kaniko/.docker/",
};

/** What fills the pod's root filesystem. */
export type PodImage =
  /** The executor image's parts as `deno task build --executor` leaves them. */
  | { readonly kind: "parts"; readonly executor: string; readonly libraries: string }
  /** An OCI layout and a tag in it, unpacked with umoci. */
  | { readonly kind: "layout"; readonly layout: string; readonly tag: string };

/** How to run a pod. */
export interface PodOptions {
  readonly image: PodImage;
  /** Arguments of the program, without the program itself. */
  readonly args: readonly string[];
  /** Host folder that becomes the read-only /workspace. */
  readonly workspace?: string;
  /** Added to the image's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly mounts?: readonly PodMount[];
  /** Files written into the root filesystem before the start, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether the root filesystem is an overlay on the image's files, as container runtimes make it. */
  readonly isOverlay?: boolean;
  /** Another program than /kaniko/executor. */
  readonly entrypoint?: readonly string[];
  readonly timeoutMs?: number;
}

/** What became of a pod. */
export interface PodResult extends PodPeak {
  /** Exit code; 128+n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly isTimedOut: boolean;
}

/** A running or finished pod. Disposing kills what still runs and removes the root filesystem. */
export interface Pod extends AsyncDisposable {
  /** The root filesystem as seen from the host. */
  readonly rootPath: string;
  /** Settles when the pod has ended. */
  readonly result: Promise<PodResult>;
  /** Sends a signal to the pod's first process. */
  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGQUIT" | "SIGHUP"): Promise<void>;
}

/** Runs a pod to its end and removes it. */
export async function runPod(options: PodOptions): Promise<PodResult> {
  await using pod = await startPod(options);
  return await pod.result;
}

/** Starts a pod. The caller disposes it. */
export async function startPod(options: PodOptions): Promise<Pod> {
  const folder = await makeTempDir();
  try {
    return await startIn(folder, options);
  } catch (error: unknown) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function startIn(folder: TempDir, options: PodOptions): Promise<Pod> {
  const id = folder.path.slice(folder.path.lastIndexOf("/") + 1);
  const rootPath = `${folder.path}/rootfs`;
  await fillRoot(options.isOverlay ? `${folder.path}/lower` : rootPath, options);
  if (options.isOverlay) await mountOverlay(folder.path, rootPath);
  const cgroup = await preparePodCgroup(id);
  const env = Object.entries({ ...IMAGE_ENV, ...options.env }).map(([name, value]) => `${name}=${value}`);
  const workspace = options.workspace === undefined ? [] : [{ source: options.workspace, destination: "/workspace" }];
  const config = podConfig({
    rootPath,
    args: [...options.entrypoint ?? ["/kaniko/executor"], ...options.args],
    env,
    cwd: "/workspace",
    mounts: [...workspace, ...options.mounts ?? []],
    cgroupsPath: cgroup.podPath,
  });
  await Deno.writeTextFile(`${folder.path}/config.json`, JSON.stringify(config));
  const runc = ["runc", "--root", `${folder.path}/state`];
  const pidFile = `${folder.path}/pid`;
  const rss = watchPeakRss(pidFile);
  const run = [...runc, "run", "--bundle", folder.path, "--pid-file", pidFile, id];
  const result = runCommand(run, { timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS }).then(async (ended) => ({
    ...ended,
    peakRssBytes: await rss.stop(),
    peakCgroupBytes: await cgroup.readPeak(),
  }));
  const removed = async (): Promise<void> => {
    await runCommand([...runc, "delete", "--force", id]); // A pod that has ended is gone already.
    await result.catch(() => undefined); // The caller saw it by awaiting the result.
    await cgroup.remove();
    if (options.isOverlay) await mustRun(["umount", rootPath]);
    await folder[Symbol.asyncDispose]();
  };
  return {
    rootPath,
    result,
    kill: async (signal) => void await mustRun([...runc, "kill", id, signal]),
    [Symbol.asyncDispose]: removed,
  };
}

/** Mounts an overlay at `rootPath` over the folder's `lower`, with its upper folder beside it. */
async function mountOverlay(folder: string, rootPath: string): Promise<void> {
  for (const name of ["upper", "work", "rootfs"]) await Deno.mkdir(`${folder}/${name}`);
  const layers = `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`;
  await mustRun(["mount", "-t", "overlay", "overlay", "-o", layers, rootPath]);
}

async function fillRoot(rootPath: string, options: PodOptions): Promise<void> {
  const { image } = options;
  if (image.kind === "layout") {
    await using unpacked = await makeTempDir();
    await mustRun(["umoci", "unpack", "--image", `${image.layout}:${image.tag}`, `${unpacked.path}/bundle`]);
    await mustRun(["mv", `${unpacked.path}/bundle/rootfs`, rootPath]);
  } else {
    for (const folder of ["kaniko/.docker", "workspace"]) {
      await Deno.mkdir(`${rootPath}/${folder}`, { recursive: true });
    }
    await mustRun(["cp", "-a", image.libraries, `${rootPath}/kaniko/lib`]);
    await mustRun(["cp", "--reflink=auto", image.executor, `${rootPath}/kaniko/executor`]);
  }
  for (const [path, content] of Object.entries(options.files ?? {})) {
    await Deno.mkdir(`${rootPath}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${rootPath}${path}`, content);
  }
}
