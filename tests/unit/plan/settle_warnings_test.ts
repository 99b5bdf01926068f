import { deepStrictEqual, throws } from "node:assert/strict";
import type { PlanWarning } from "../../../src/plan/plan.ts";
import { settleWarnings } from "../../../src/plan/settle_warnings.ts";
import { parseText } from "../../support/plan_request.ts";

const TEXT = "FROM a\n# check=skip=UndefinedVar\nLABEL x=$x\nLABEL y=$y";

Deno.test("settleWarnings tells each once, by line, those without a line last", () => {
  const told = settleWarnings(parseText("FROM a\nUSER b\nUSER c"), [
    { message: "bare" },
    warning("A", 3),
    warning("B", 2),
    warning("A", 3),
    warning("A", 2),
  ]);
  deepStrictEqual(told, [warning("B", 2), warning("A", 2), warning("A", 3), { message: "bare" }]);
});

Deno.test("settleWarnings drops what a comment above the instruction turns off", () => {
  const all = [warning("UndefinedVar", 3), warning("UndefinedVar", 4), warning("Other", 3)];
  deepStrictEqual(settleWarnings(parseText(TEXT), all), [warning("Other", 3), warning("UndefinedVar", 4)]);
});

Deno.test("settleWarnings drops what the file turns off, but never what is no build check", () => {
  const all = [warning("UndefinedVar", 3), { message: "bare" }, warning("Other", 3)];
  deepStrictEqual(settleWarnings(parseText("# check=skip=undefinedvar\nFROM a"), all), [warning("Other", 3), {
    message: "bare",
  }]);
  deepStrictEqual(settleWarnings(parseText("# check=skip=all\nFROM a"), all), [{ message: "bare" }]);
});

Deno.test("settleWarnings throws at the first build check when the file wants errors", () => {
  const dockerfile = parseText("# check=error=true;skip=Other\nFROM a");
  throws(() => settleWarnings(dockerfile, [warning("B", 3), warning("A", 2), warning("B", 4), warning("Other", 1)]), {
    message: "Cannot accept Dockerfile: lint violation found for rules: A, B",
    hint: "A is broken",
    range: { startLine: 2, endLine: 2 },
  });
  deepStrictEqual(settleWarnings(dockerfile, [{ message: "bare" }, warning("Other", 1)]), [{ message: "bare" }]);
});

function warning(rule: string, line: number): PlanWarning {
  return { rule, message: `${rule} is broken`, range: { startLine: line, endLine: line } };
}
