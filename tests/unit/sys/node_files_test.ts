import { equal } from "node:assert/strict";
import { loadNodeFiles } from "../../../src/sys/node_files.ts";

Deno.test("loadNodeFiles gives functions that read files", async () => {
  const files = await loadNodeFiles();
  equal(files.readFileSync("/proc/self/comm", "utf8").length > 0, true);
});
