import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import type { PlanWarning } from "../../../src/plan/plan.ts";
import { refuseViolations, settleWarnings } from "../../../src/plan/settle_warnings.ts";
import { parseText } from "../../support/plan_request.ts";

const ALL = undefined;
const TEXT = "FROM a\n# check=skip=UndefinedVar\nLABEL x=$x\nLABEL y=$y";

Deno.test("settleWarnings tells each once, by line, those without a line last", () => {
  const told = settleWarnings(parseText("FROM a\nUSER b\nUSER c"), [
    { message: "bare" },
    warning("A", 3),
    warning("B", 2),
    warning("A", 3),
    warning("A", 2),
  ], ALL);
  deepStrictEqual(told, [warning("B", 2), warning("A", 2), warning("A", 3), { message: "bare" }]);
});

Deno.test("settleWarnings drops what a comment above the instruction turns off", () => {
  const all = [warning("UndefinedVar", 3), warning("UndefinedVar", 4), warning("Other", 3)];
  deepStrictEqual(settleWarnings(parseText(TEXT), all, ALL), [warning("Other", 3), warning("UndefinedVar", 4)]);
});

Deno.test("settleWarnings drops what the file turns off, but never what is no build check", () => {
  const all = [warning("UndefinedVar", 3), { message: "bare" }, warning("Other", 3)];
  deepStrictEqual(settleWarnings(parseText("# check=skip=undefinedvar\nFROM a"), all, ALL), [warning("Other", 3), {
    message: "bare",
  }]);
  deepStrictEqual(settleWarnings(parseText("# check=skip=all\nFROM a"), all, ALL), [{ message: "bare" }]);
});

Deno.test("settleWarnings tells what the parser found about the file, and about the stages that are planned", () => {
  const dockerfile = parseText("FROM a AS A\nENV KEY=1\nFROM b\nENV TOKEN=1\nENV x y");
  const rules = (planned: ReadonlySet<number> | undefined): readonly string[] =>
    settleWarnings(dockerfile, [], planned).map(({ rule, range }) => `${rule}:${range?.startLine}`);
  const [casing, first, second, legacy] = [
    "StageNameCasing:1",
    "SecretsUsedInArgOrEnv:2",
    "SecretsUsedInArgOrEnv:4",
    "LegacyKeyValueFormat:5",
  ];
  deepStrictEqual(rules(new Set([1])), [casing, second, legacy]);
  deepStrictEqual(rules(new Set([0])), [casing, first, legacy]);
  deepStrictEqual(rules(ALL), [casing, first, second, legacy]);
});

Deno.test("refuseViolations throws at the first build check with the others beside it when the file wants errors", () => {
  const dockerfile = parseText("# check=error=true\nFROM a");
  const found = [warning("Unknown", 1), warning("UndefinedVar", 2), { message: "bare" }, warning("FromAsCasing", 3)];
  throws(() => refuseViolations(dockerfile, [...found, warning("UndefinedVar", 4)]), (error: unknown) => {
    ok(error instanceof DockerfileError);
    strictEqual(error.message, "Cannot accept Dockerfile: lint violation found for rules: UndefinedVar, FromAsCasing");
    strictEqual(error.hint, "UndefinedVar: UndefinedVar is broken");
    strictEqual(error.range.startLine, 2);
    deepStrictEqual(error.others.map(({ message, range }) => [message, range.startLine]), [
      ["FromAsCasing: FromAsCasing is broken", 3],
      ["UndefinedVar: UndefinedVar is broken", 4],
    ]);
    return true;
  });
});

Deno.test("refuseViolations lets pass what is no build check, and everything when the file wants no errors", () => {
  refuseViolations(parseText("# check=error=true\nFROM a"), [{ message: "bare" }, warning("Unknown", 1)]);
  refuseViolations(parseText("FROM a"), [warning("UndefinedVar", 1)]);
});

function warning(rule: string, line: number): PlanWarning {
  return { rule, message: `${rule} is broken`, range: { startLine: line, endLine: line } };
}
