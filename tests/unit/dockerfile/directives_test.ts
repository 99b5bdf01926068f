/** Parser directives, line by line. */
import assert from "node:assert/strict";
import {
  isCheckSkipped,
  parseCheckPolicy,
  parseDirective,
  parseEscape,
  syntaxWarning,
} from "../../../src/dockerfile/directives.ts";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";

const RANGE = { startLine: 1, endLine: 1 };

for (
  const { line, directive } of [
    { line: "# syntax=a/b:1", directive: ["syntax", "a/b:1"] },
    { line: "#SYNTAX = a b  ", directive: ["syntax", "a b"] },
    { line: "#\tEscape\t=\t`", directive: ["escape", "`"] },
    { line: "# check=skip=A;error=true", directive: ["check", "skip=A;error=true"] },
    { line: "# other=1", directive: undefined },
    { line: "# syntax=", directive: undefined },
    { line: "# syntax x=1", directive: undefined },
    { line: "## syntax=1", directive: undefined },
    { line: "syntax=1", directive: undefined },
    { line: "# 1a=b", directive: undefined },
    { line: "", directive: undefined },
  ]
) {
  Deno.test(`parseDirective gives ${JSON.stringify(directive)} when the line is ${JSON.stringify(line)}`, () => {
    const parsed = parseDirective(line, RANGE);
    assert.deepEqual(parsed === undefined ? undefined : [parsed.key, parsed.value], directive);
  });
}

Deno.test("parseEscape takes backslash and backtick when they stand alone, nothing else", () => {
  const escape = (value: string): string => parseEscape({ key: "escape", value, range: RANGE });
  assert.equal(escape("\\"), "\\");
  assert.equal(escape("`"), "`");
  for (const value of ["x", "\\\\", "``", "'"]) assert.throws(() => escape(value), DockerfileError);
});

Deno.test("parseCheckPolicy reads all options when they are separated by semicolons", () => {
  const policy = parseCheckPolicy(" skip=StageNameCasing, FromAsCasing ; error=TRUE;experimental=all;", RANGE);
  assert.deepEqual([...policy.skip], ["stagenamecasing", "fromascasing"]);
  assert.ok(policy.isError);
  assert.ok(isCheckSkipped(policy, "FromAsCasing"));
  assert.ok(!isCheckSkipped(policy, "UndefinedVar"));
  assert.ok(isCheckSkipped(parseCheckPolicy("skip=all", RANGE), "UndefinedVar"));
});

for (const value of ["x", "skipp=all", "error=maybe", "error", "=1"]) {
  Deno.test(`parseCheckPolicy throws when an option is ${value}`, () => {
    assert.throws(() => parseCheckPolicy(`skip=A;${value}`, RANGE), /invalid check option/);
  });
}

for (
  const { value, warns } of [
    { value: "docker/dockerfile:1", warns: false },
    { value: "docker/dockerfile", warns: false },
    { value: "docker.io/docker/dockerfile:1.7-labs@sha256:00", warns: false },
    { value: "docker/dockerfile-upstream:master", warns: false },
    { value: "dockerfile.v0", warns: false },
    { value: "docker/dockerfile-other:1", warns: true },
    { value: "example.com/docker/dockerfile:1", warns: true },
  ]
) {
  Deno.test(`syntaxWarning ${warns ? "warns" : "is silent"} when the frontend is ${value}`, () => {
    assert.equal(syntaxWarning({ key: "syntax", value, range: RANGE }) !== undefined, warns);
  });
}
