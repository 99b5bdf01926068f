/**
 * Ending everything that a command has started. A command runs in a session of its own; what leaves that session is
 * still our descendant, because we are the subreaper (or PID 1) that orphans are given to. Processes that somebody else
 * started, such as a shell of `kubectl exec`, are never touched.
 */
import { check, libc, SystemError } from "./libc.ts";
import { type ProcessEntry, readProcess, readProcessTable } from "./process_table.ts";

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const SIGKILL = 9;
const SWEEP_PAUSE_MS = 2;
const SWEEP_LIMIT_MS = 20_000;

/** Makes this process the parent of every orphan among its descendants, in place of PID 1. */
export function becomeSubreaper(): void {
  check(libc().prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n), "prctl");
}

/** Sends a signal to the process group `groupId`. A group that has ended is no failure. */
export function signalGroup(groupId: number, signalNumber: number): void {
  libc().kill(-groupId, signalNumber);
}

/** The number of each signal that can be asked for by name here. */
export const SIGNAL_NUMBERS = { SIGTERM: 15, SIGKILL } as const;

/** Which of our descendants belong to a command, and which must be left alone. */
export interface SweepOptions {
  /** Processes that were there before the command, as {@link ownDescendants} told; they and theirs are left alone. */
  readonly before: ReadonlyMap<number, ProcessEntry>;
  /** Leaders of all commands running now: the parent that spawned them waits for them, so they are not reaped here. */
  readonly leaders: ReadonlySet<number>;
  /** The leader of the command to end. */
  readonly leader: number;
}

/** All descendants of this process, by pid. */
export function ownDescendants(): ReadonlyMap<number, ProcessEntry> {
  const table = readProcessTable();
  return new Map([...table].filter(([, entry]) => isDescendant(entry, table)));
}

/**
 * The processes of `table` that a command has left: our descendants outside our own session (whatever we start for
 * ourselves stays in it; whatever a command starts cannot get into it), but neither those of `options.before` nor those of
 * other running commands, nor orphans of a session whose leader is alive and not ours.
 */
export function commandProcesses(
  table: ReadonlyMap<number, ProcessEntry>,
  options: SweepOptions,
): readonly ProcessEntry[] {
  const sparedSessions = new Set([...options.before.values()].map((entry) => entry.sessionId));
  sparedSessions.add(table.get(Deno.pid)?.sessionId ?? 0);
  return [...table.values()].filter((entry) => {
    if (sparedSessions.has(entry.sessionId) || !isDescendant(entry, table)) return false;
    if (lineage(entry, table).some((ancestor) => isSpared(ancestor, options))) return false;
    const sessionLeader = table.get(entry.sessionId);
    return sessionLeader === undefined || isDescendant(sessionLeader, table);
  });
}

/**
 * Kills and reaps all that the command has left, until nothing is. To be called after its leader has ended or been
 * killed. Throws SystemError when processes are still there after 20 seconds of killing.
 */
export async function endCommandProcesses(options: SweepOptions): Promise<void> {
  const deadline = performance.now() + SWEEP_LIMIT_MS;
  for (;;) {
    const left = commandProcesses(readProcessTable(), options).filter((entry) => !endProcess(entry, options));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      const pids = left.slice(0, 10).map((entry) => entry.pid).join(", ");
      throw new SystemError(
        "kill",
        "EBUSY",
        undefined,
        `Cannot end the processes of a command: ${pids} are still there`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, SWEEP_PAUSE_MS));
  }
}

/** One attempt to end a process; whether nothing is left to do about it. A whole group dies before it can fork again. */
function endProcess(entry: ProcessEntry, options: SweepOptions): boolean {
  if (entry.state === "Z" || entry.state === "X") {
    if (options.leaders.has(entry.pid)) return true;
    // A zombie that is not our child is its parent's to reap, and the parent is being ended as well.
    return entry.parentPid === Deno.pid && reap(entry.pid);
  }
  const own = readProcess(Deno.pid);
  if (entry.groupId > 1 && entry.groupId !== own?.groupId) libc().kill(-entry.groupId, SIGKILL);
  libc().kill(entry.pid, SIGKILL);
  return false;
}

/** Reaps our zombie child `pid`, by its pid: waiting for any child would steal those that the runtime waits for. */
export function reap(pid: number): boolean {
  return libc().waitpid(pid, null, WNOHANG) !== 0;
}

function isSpared(entry: ProcessEntry, options: SweepOptions): boolean {
  if (options.before.get(entry.pid)?.startTicks === entry.startTicks) return true;
  return entry.pid !== options.leader && options.leaders.has(entry.pid);
}

/** `entry` and its ancestors below this process. */
function lineage(entry: ProcessEntry, table: ReadonlyMap<number, ProcessEntry>): readonly ProcessEntry[] {
  const chain: ProcessEntry[] = [];
  for (
    let next: ProcessEntry | undefined = entry;
    next !== undefined && next.pid !== Deno.pid && chain.length <= table.size;
    next = table.get(next.parentPid)
  ) chain.push(next);
  return chain;
}

function isDescendant(entry: ProcessEntry, table: ReadonlyMap<number, ProcessEntry>): boolean {
  return entry.pid !== Deno.pid && lineage(entry, table).at(-1)?.parentPid === Deno.pid;
}
