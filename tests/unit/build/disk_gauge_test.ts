import { equal } from "node:assert/strict";
import { DiskGauge } from "../../../src/build/disk_gauge.ts";

Deno.test("DiskGauge knows the most that all parts held at a time", () => {
  const gauge = new DiskGauge();
  equal(gauge.peakBytes, 0);
  gauge.set("a", 10);
  gauge.add("b", 5);
  gauge.add("b", 5);
  gauge.set("a", 0);
  equal(gauge.peakBytes, 20);
  gauge.set("a", 11);
  equal(gauge.peakBytes, 21);
});
