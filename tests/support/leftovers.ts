/** What builds may leave behind on a machine: mounts, processes, files. Found by the folder that the test gave them. */

/** Mounts and processes that still know `folder`, one line each; none after a clean end. */
export async function leftovers(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name) || Number(entry.name) === Deno.pid) continue;
    const [command, mounts] = await Promise.all([read(entry.name, "cmdline"), read(entry.name, "mountinfo")]);
    const links = await Promise.all(["cwd", "root", "exe"].map((name) => readLink(`/proc/${entry.name}/${name}`)));
    const isOurs = [command, mounts, ...links].some((text) => text.includes(folder));
    if (isOurs) found.push(`process ${entry.name}: ${command.replaceAll("\0", " ").trim()}`);
  }
  const mounts = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n").filter((line) => line.includes(folder));
  return [...found, ...mounts.map((line) => `mount ${line}`)];
}

/** All paths below `folder`, sorted. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    paths.push(entry.name);
    if (entry.isDirectory) {
      paths.push(...(await listFiles(`${folder}/${entry.name}`)).map((path) => `${entry.name}/${path}`));
    }
  }
  return paths.sort();
}

async function read(pid: string, name: string): Promise<string> {
  try {
    return await Deno.readTextFile(`/proc/${pid}/${name}`);
  } catch {
    return ""; // The process has ended meanwhile.
  }
}

async function readLink(path: string): Promise<string> {
  try {
    return await Deno.readLink(path);
  } catch {
    return ""; // The process has ended meanwhile, or is the kernel's.
  }
}
