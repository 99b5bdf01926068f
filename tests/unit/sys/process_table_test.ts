import { deepEqual, equal, ok } from "node:assert/strict";
import { catchesSignal, parseProcessStat, readProcess, readProcessTable } from "../../../src/sys/process_table.ts";

const TAIL = "0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 4096 100";

Deno.test("parseProcessStat reads the facts whatever the process calls itself", () => {
  for (const name of ["sh", "a b", "x) R 1 2 3 (", ")", "", "\n"]) {
    deepEqual(parseProcessStat(`42 (${name}) S 7 40 39 ${TAIL}`), {
      pid: 42,
      parentPid: 7,
      groupId: 40,
      sessionId: 39,
      state: "S",
      startTicks: 987654,
    }, name);
  }
});

Deno.test("parseProcessStat gives undefined for a text that is cut", () => {
  for (const text of ["", "42", "42 (sh", "42 (sh) S 7 40", "42 (sh) S 7 40 39 0 -1"]) {
    equal(parseProcessStat(text), undefined, text);
  }
});

Deno.test("readProcessTable has this process, its parent and its child", async () => {
  const child = new Deno.Command("/bin/sleep", { args: ["1000"], detached: true }).spawn();
  try {
    const table = readProcessTable();
    ok(table.has(Deno.ppid));
    equal(table.get(child.pid)?.parentPid, Deno.pid);
    equal(table.get(child.pid)?.sessionId, child.pid);
    deepEqual(readProcess(child.pid)?.startTicks, table.get(child.pid)?.startTicks);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  equal(readProcess(child.pid), undefined);
});

Deno.test("catchesSignal tells a handler from the default action", async () => {
  const script = "trap : USR1; echo ready; read line";
  const child = new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  try {
    await reader.read();
    deepEqual([catchesSignal(child.pid, 10), catchesSignal(child.pid, 12)], [true, false]);
  } finally {
    await child.stdin.close();
    await reader.cancel();
    await child.status;
  }
  equal(catchesSignal(child.pid, 10), false);
});
