/** The error of the syntax tree; all else there is types. */
import assert from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";

Deno.test("DockerfileError carries range, hint and further faults when they are given", () => {
  const other = new DockerfileError("b", { startLine: 3, endLine: 3 });
  const error = new DockerfileError("a", { startLine: 1, endLine: 2 }, { hint: "h", others: [other] });
  assert.equal(error.code, "dockerfile");
  assert.deepEqual([error.message, error.hint, error.range.endLine], ["a", "h", 2]);
  assert.deepEqual(error.others, [other]);
  assert.deepEqual(other.others, []);
});
