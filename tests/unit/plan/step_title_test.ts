import { strictEqual } from "node:assert/strict";
import { stepTitle } from "../../../src/plan/step_title.ts";

Deno.test("stepTitle gives the instruction on one line", () => {
  const range = { startLine: 1, endLine: 2 };
  strictEqual(stepTitle({ kind: "USER", range, raw: " USER a\r\n  b ", user: "a b" }), "USER a b");
});

Deno.test("stepTitle masks the logins of URLs", () => {
  const range = { startLine: 1, endLine: 1 };
  strictEqual(
    stepTitle({ kind: "USER", range, raw: "RUN curl https://u:p@h", user: "a" }),
    "RUN curl https://xxxxx:xxxxx@h",
  );
});
