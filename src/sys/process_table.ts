/** The processes that /proc shows, with the few facts that tell whose they are. Source: proc(5), /proc/<pid>/stat. */

/** One process at the moment of reading. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** One letter, such as "R", "S", "T" and "Z" (a zombie: dead, not yet waited for). */
  readonly state: string;
  /** Clock ticks after boot; with the pid it identifies a process for ever. */
  readonly startTicks: number;
}

/** The facts in one /proc/<pid>/stat text, or undefined when it is cut. The name in it may hold any character. */
export function parseProcessStat(text: string): ProcessEntry | undefined {
  const nameStart = text.indexOf("(");
  const nameEnd = text.lastIndexOf(")");
  if (nameStart < 0 || nameEnd < nameStart) return undefined;
  const pid = Number(text.slice(0, nameStart));
  const fields = text.slice(nameEnd + 2).split(" ");
  const [state, parentPid, groupId, sessionId] = fields;
  const startTicks = Number(fields[19]);
  if (state === undefined || sessionId === undefined || !Number.isInteger(pid) || !Number.isInteger(startTicks)) {
    return undefined;
  }
  return {
    pid,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    state,
    startTicks,
  };
}

/** All processes of our PID namespace that are visible, by pid. One that ends while we read is left out. */
export function readProcessTable(): ReadonlyMap<number, ProcessEntry> {
  const table = new Map<number, ProcessEntry>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readProcess(Number(name));
    if (entry !== undefined) table.set(entry.pid, entry);
  }
  return table;
}

/** The process `pid`, or undefined when there is none. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readProcFile(pid, "stat");
  return text === undefined ? undefined : parseProcessStat(text);
}

/**
 * Whether `pid` has a handler for the signal with number `signalNumber`. The first process of a PID namespace is not
 * ended by signals that it does not catch, SIGKILL from outside excepted. Source: pid_namespaces(7).
 */
export function catchesSignal(pid: number, signalNumber: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readProcFile(pid, "status") ?? "")?.[1];
  return caught !== undefined && (BigInt(`0x${caught}`) >> BigInt(signalNumber - 1)) % 2n === 1n;
}

/** /proc/<pid>/<name>; undefined when the process has ended, which /proc tells as ENOENT or ESRCH. */
function readProcFile(pid: number, name: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}
