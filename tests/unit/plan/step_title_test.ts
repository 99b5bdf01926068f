import { strictEqual } from "node:assert/strict";
import { stepTitle } from "../../../src/plan/step_title.ts";

Deno.test("stepTitle gives the instruction on one line", () => {
  const range = { startLine: 1, endLine: 2 };
  strictEqual(stepTitle({ kind: "USER", range, raw: " USER a\r\n  b ", user: "a b" }), "USER a b");
});
