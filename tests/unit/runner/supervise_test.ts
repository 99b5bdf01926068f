import { deepEqual, equal, rejects } from "node:assert/strict";
import { supervise, type SupervisedCommand } from "../../../src/runner/supervise.ts";
import { signalGroup } from "../../../src/sys/process.ts";

/** A shell in a session of its own; `endRest` is told, and kills what is left when asked to. */
function start(script: string, isEnding = true): SupervisedCommand & { readonly calls: string[] } {
  const calls: string[] = [];
  const options: Deno.CommandOptions = { args: ["-c", script], stdout: "piped", stderr: "piped", detached: true };
  const child = new Deno.Command("/bin/sh", options).spawn();
  const endRest = (): Promise<void> => {
    calls.push("endRest");
    if (isEnding) signalGroup(child.pid, 9);
    return Promise.resolve();
  };
  return { child, isNamespaceInit: false, endRest, calls };
}

const QUIET = { write: (): void => undefined };
const PATIENCE = { terminateGraceMs: 20, drainGraceMs: 20, now: () => 0 };

Deno.test("supervise measures with the clock it is given and keeps the last lines", async () => {
  const times = [1000, 1250];
  const command = start("echo out; echo err >&2; exit 4");
  const patience = { ...PATIENCE, now: () => times.shift() ?? 0 };
  const status = await supervise(command, QUIET, new AbortController().signal, patience);
  deepEqual([status.kind, status.durationMs, [...status.lastLines].sort()], ["exited", 250, ["err", "out"]]);
  deepEqual(command.calls, ["endRest"]);
});

Deno.test("supervise gives the output up when somebody holds it open who cannot be ended", async () => {
  const command = start("sleep 1000 & echo out", false);
  const status = await supervise(command, QUIET, new AbortController().signal, PATIENCE);
  deepEqual(status.lastLines, ["out"]);
  signalGroup(command.child.pid, 9);
});

Deno.test("supervise kills a command that does not listen when aborted", async () => {
  const command = start("trap '' TERM; echo on; while :; do sleep 0.01; done");
  const abort = new AbortController();
  const output = { write: (): void => abort.abort(new Error("enough")) };
  await rejects(supervise(command, output, abort.signal, PATIENCE), /enough/);
  equal((await command.child.status).signal, "SIGKILL");
  deepEqual(command.calls, ["endRest"]);
});
