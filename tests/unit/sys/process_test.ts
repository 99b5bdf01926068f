import { deepEqual, equal, ok } from "node:assert/strict";
import {
  becomeSubreaper,
  commandProcesses,
  endCommandProcesses,
  ownDescendants,
  reap,
  SIGNAL_NUMBERS,
  signalGroup,
  type SweepOptions,
} from "../../../src/sys/process.ts";
import { type ProcessEntry, readProcess } from "../../../src/sys/process_table.ts";

/** pid, parent, session: the rest is not looked at. */
function table(rows: readonly (readonly [number, number, number])[]): ReadonlyMap<number, ProcessEntry> {
  return new Map(rows.map(([pid, parentPid, sessionId]) => {
    return [pid, { pid, parentPid, sessionId, groupId: sessionId, state: "S", startTicks: pid * 10 }];
  }));
}

const ME = Deno.pid;
const SWEEP: SweepOptions = { before: new Map(), leaders: new Set([100_000_001]), leader: 100_000_001 };
const L = 100_000_000;

Deno.test("commandProcesses takes what a command left and nothing else", () => {
  const before = table([[L + 50, ME, L + 50]]);
  const world = table([
    [1, 0, 1],
    [ME, 1, L],
    [L + 1, ME, L + 1], // the leader, perhaps a zombie
    [L + 2, L + 1, L + 1], // its child
    [L + 3, ME, L + 1], // an orphan of its session
    [L + 4, ME, L + 4], // a daemon in a session of its own
    [L + 5, L + 4, L + 4], // the daemon's child
    [L + 10, ME, L], // a child of ours for ourselves
    [L + 11, L + 10, L], // and its child
    [L + 20, 0, L + 20], // a shell that somebody executed beside us
    [L + 21, L + 20, L + 20], // and its child
    [L + 22, ME, L + 20], // an orphan of that shell, given to us
    [L + 30, 1, L + 30], // somebody else's
    [L + 40, ME, L + 40], // leader of another running command
    [L + 41, L + 40, L + 41], // and a daemon of it
    [L + 50, ME, L + 50], // was there before
    [L + 51, L + 50, L + 51], // a new child of it
    [L + 52, ME, L + 50], // an orphan of its session
  ]);
  const found = commandProcesses(world, { ...SWEEP, before, leaders: new Set([L + 1, L + 40]) });
  deepEqual(found.map((entry) => entry.pid - L), [1, 2, 3, 4, 5]);
});

Deno.test("commandProcesses survives a table whose parents go round", () => {
  deepEqual(commandProcesses(table([[L + 1, L + 2, L + 1], [L + 2, L + 1, L + 1]]), SWEEP), []);
});

Deno.test("endCommandProcesses ends orphans of a command and reaps them", async () => {
  becomeSubreaper();
  const before = ownDescendants();
  const script = "for i in 1 2 3; do setsid sleep 1000 & done; (trap '' TERM; sleep 1000) & sleep 0.1; echo $$";
  const child = new Deno.Command("/bin/sh", { args: ["-c", script], detached: true, stdout: "null" }).spawn();
  await child.status;
  const isNew = (): number => [...ownDescendants().keys()].filter((pid) => !before.has(pid)).length;
  ok(isNew() >= 4);
  await endCommandProcesses({ before, leaders: new Set([child.pid]), leader: child.pid });
  equal(isNew(), 0);
});

Deno.test("signalGroup reaches every process of the group", async () => {
  const child = new Deno.Command("/bin/sh", { args: ["-c", "sleep 1000 & wait"], detached: true }).spawn();
  signalGroup(child.pid, SIGNAL_NUMBERS.SIGKILL);
  equal((await child.status).signal, "SIGKILL");
  signalGroup(child.pid, SIGNAL_NUMBERS.SIGTERM);
  equal(readProcess(child.pid), undefined);
});

Deno.test("reap tells that a process which is alive is not reaped", async () => {
  const child = new Deno.Command("/bin/sleep", { args: ["1000"] }).spawn();
  equal(reap(child.pid), false);
  child.kill("SIGKILL");
  equal((await child.status).signal, "SIGKILL");
});
