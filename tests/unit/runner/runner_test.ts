import { deepEqual, equal, match } from "node:assert/strict";
import { exitCodeOf, type ExitStatus, runError } from "../../../src/runner/runner.ts";

const FACTS = { durationMs: 5, lastLines: ["a", "b"] };
const EXITED: ExitStatus = { kind: "exited", code: 42, ...FACTS };
const KILLED: ExitStatus = { kind: "signalled", signal: "SIGKILL", signalNumber: 9, ...FACTS };

Deno.test("exitCodeOf gives the code, or 128 and the signal's number", () => {
  deepEqual([exitCodeOf(EXITED), exitCodeOf(KILLED)], [42, 137]);
});

Deno.test("runError tells how the command ended", () => {
  const error = runError(EXITED, "make all");
  equal(error.message, 'Cannot run "make all": it did not complete: exit code 42');
  deepEqual([error.code, error.exitCode, error.signalName, error.lastLines, error.hint], [
    "run",
    42,
    undefined,
    ["a", "b"],
    undefined,
  ]);
  const killed = runError(KILLED, "make");
  equal(killed.message, 'Cannot run "make": it was ended by SIGKILL');
  deepEqual([killed.exitCode, killed.signalName], [137, "SIGKILL"]);
  match(killed.hint ?? "", /memory/);
});
