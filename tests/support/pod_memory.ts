/** How much memory a pod took: the peak of its first process, and of its whole cgroup where the kernel counts it. */

const CGROUP_V1_MEMORY = "/sys/fs/cgroup/memory";
const CGROUP_V2 = "/sys/fs/cgroup";
const POLL_MS = 20;

/** Peaks in bytes; undefined where they could not be read. */
export interface PodPeak {
  /** Largest resident set of the pod's first process (the executor). */
  readonly peakRssBytes: number | undefined;
  /** Largest memory of all processes together, page cache included. */
  readonly peakCgroupBytes: number | undefined;
}

/** A cgroup of our own around the pod's: runc removes the pod's with its counters when the pod ends. */
export interface PodCgroup {
  /** For `linux.cgroupsPath`. */
  readonly podPath: string;
  readPeak(): Promise<number | undefined>;
  remove(): Promise<void>;
}

/** Makes the outer cgroup, where cgroups are mounted and writable. */
export async function preparePodCgroup(id: string): Promise<PodCgroup> {
  const v1 = await makeFolder(`${CGROUP_V1_MEMORY}/${id}`);
  const v2 = v1 === undefined ? await makeFolder(`${CGROUP_V2}/${id}`) : undefined;
  const peakFile = v1 === undefined ? `${v2}/memory.peak` : `${v1}/memory.max_usage_in_bytes`;
  return {
    podPath: `/${id}/pod`,
    readPeak: () => readNumber(peakFile),
    async remove(): Promise<void> {
      for await (const hierarchy of cgroupHierarchies()) await removeFolder(`${hierarchy}/${id}`);
    },
  };
}

/** Watches the process that `pidFile` will name until `stop`, which tells the largest resident set seen. */
export function watchPeakRss(pidFile: string): { stop(): Promise<number | undefined> } {
  let peakBytes: number | undefined;
  const look = async (): Promise<void> => {
    const pid = await readNumber(pidFile);
    const status = pid === undefined ? undefined : await readText(`/proc/${pid}/status`);
    const peakKib = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
    if (peakKib !== undefined) peakBytes = Math.max(peakBytes ?? 0, Number(peakKib) * 1024);
  };
  let pending = look();
  const timer = setInterval(() => {
    pending = pending.then(look);
  }, POLL_MS);
  return {
    async stop(): Promise<number | undefined> {
      clearInterval(timer);
      await pending;
      return peakBytes;
    },
  };
}

async function* cgroupHierarchies(): AsyncGenerator<string> {
  yield CGROUP_V2;
  for await (const entry of Deno.readDir(CGROUP_V2)) {
    if (entry.isDirectory) yield `${CGROUP_V2}/${entry.name}`;
  }
}

async function makeFolder(path: string): Promise<string | undefined> {
  try {
    await Deno.mkdir(path);
    return path;
  } catch {
    return undefined; // No such hierarchy, or not ours to write: then there are no numbers.
  }
}

/** Removes a cgroup and those directly in it; a cgroup folder is removed by rmdir alone. */
async function removeFolder(path: string): Promise<void> {
  for (const folder of [`${path}/pod`, path]) {
    try {
      await Deno.remove(folder);
    } catch (error: unknown) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path))?.trim();
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined; // Not there yet, or gone with its process.
  }
}
