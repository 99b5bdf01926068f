import { deepEqual, throws } from "node:assert/strict";
import { keyValues } from "../../../src/cli/key_values.ts";

Deno.test("keyValues splits at the first = and lets later words win", () => {
  deepEqual([...keyValues("label", ["a=1=2", "b=", "a=3"])], [["a", "3"], ["b", ""]]);
});

Deno.test("keyValues asks the fallback when a word has no =", () => {
  deepEqual([...keyValues("build-arg", ["A"], (name) => name === "A" ? "x" : undefined)], [["A", "x"]]);
  throws(() => keyValues("label", ["A"]), /"A" for --label: expected NAME=VALUE/);
  throws(() => keyValues("label", ["=A"]), /expected NAME=VALUE/);
});
