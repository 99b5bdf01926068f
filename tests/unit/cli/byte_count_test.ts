import { equal, throws } from "node:assert/strict";
import { byteCount } from "../../../src/cli/byte_count.ts";

Deno.test("byteCount reads sizes with units of both kinds", () => {
  const cases: readonly [string, number][] = [
    ["1", 1],
    ["7B", 7],
    ["500MB", 5e8],
    ["2kb", 2000],
    ["2k", 2048],
    ["1GiB", 2 ** 30],
    [" 3 TiB ", 3 * 2 ** 40],
  ];
  for (const [text, bytes] of cases) equal(byteCount("x", text), bytes, text);
});

Deno.test("byteCount throws for what is no size", () => {
  for (const text of ["", "0", "-1", "1.5G", "GiB", "1PB", "999999999999TB"]) {
    throws(() => byteCount("max-layer-size", text), /--max-layer-size/, text);
  }
});
