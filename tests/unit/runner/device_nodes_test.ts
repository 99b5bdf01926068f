import { deepEqual } from "node:assert/strict";
import { DEVICE_NODES } from "../../../src/runner/device_nodes.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { lstat } from "../../../src/sys/stat.ts";

Deno.test("DEVICE_NODES has the numbers that this machine's devices have", () => {
  for (const { name, rdevMajor, rdevMinor } of DEVICE_NODES) {
    const inode = lstat(rawPath(`/dev/${name}`));
    deepEqual([inode?.type, inode?.rdevMajor, inode?.rdevMinor], ["char", rdevMajor, rdevMinor], name);
  }
});
