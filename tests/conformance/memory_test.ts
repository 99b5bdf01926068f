/** What the state of a large root filesystem costs, measured in a process of its own. */
import { equal } from "node:assert/strict";
import { mustRun } from "../support/run_command.ts";

const NODES = 500_000;
const MAX_BYTES = 200 * 2 ** 20;

Deno.test("Tree keeps the state of 500,000 files in 200 MiB", async () => {
  const program = new URL("../support/tree_memory.ts", import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "-A", "--no-check", "--v8-flags=--expose-gc", program, String(NODES)];
  const { nodes, bytes } = JSON.parse(await mustRun(command));
  equal(nodes, NODES);
  equal(bytes < MAX_BYTES, true, `${(bytes / 2 ** 20).toFixed(0)} MiB`);
});
