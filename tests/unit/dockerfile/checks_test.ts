/** Build checks: which rules speak up where, and which are told not to. The golden fixtures show the texts. */
import assert from "node:assert/strict";
import { isSkippedAt, runChecks } from "../../../src/dockerfile/checks.ts";
import { parseInstruction } from "../../../src/dockerfile/parse_instruction.ts";
import { scanLines } from "../../../src/dockerfile/scan_lines.ts";

/** "Rule:line" of each warning. */
function check(source: string, skip: readonly string[] = [], experimental: readonly string[] = []): readonly string[] {
  const parsed = scanLines(source).lines.map((line) => ({ line, instruction: parseInstruction(line, "\\") }));
  const warnings = runChecks(parsed, { skip: new Set(skip), experimental: new Set(experimental), isError: false });
  return warnings.map(({ rule, range }) => `${rule}:${range.startLine}`);
}

for (
  const { source, found } of [
    { source: "FROM a AS b\nRUN x\n", found: [] },
    { source: "FROM a AS B", found: ["StageNameCasing:1"] },
    { source: "FROM a as b", found: ["FromAsCasing:1"] },
    { source: "from a AS b", found: ["FromAsCasing:1"] },
    { source: "from a as b", found: [] },
    { source: "FROM a\nrun x", found: ["ConsistentInstructionCasing:2"] },
    { source: "from a\nRUN x", found: ["ConsistentInstructionCasing:1"] },
    { source: "FROM a\nRUN x \\\n\n y", found: ["NoEmptyContinuation:2"] },
    { source: "FROM a AS b\nFROM a AS b", found: ["DuplicateStageName:2"] },
    { source: "FROM a AS context", found: ["ReservedStageName:1"] },
    { source: "FROM a\nMAINTAINER x", found: ["MaintainerDeprecated:2"] },
    { source: 'FROM a\nCMD ["x"]\nCMD ["y"]', found: ["MultipleInstructionsDisallowed:2"] },
    { source: 'FROM a\nCMD ["x"]\nFROM a\nCMD ["y"]', found: [] },
    { source: "FROM a\nLABEL a b", found: ["LegacyKeyValueFormat:2"] },
  ]
) {
  Deno.test(`runChecks finds ${JSON.stringify(found)} when it reads ${JSON.stringify(source)}`, () => {
    assert.deepEqual(check(source), found);
  });
}

for (
  const [name, isSecret] of [
    ["PASSWORD", true],
    ["my_token", true],
    ["AUTH_X", true],
    ["a_ApiKey_b", true],
    ["MONKEY", false],
    ["KEYBOARD", false],
    ["PASSWORD_FILE", false],
    ["public_key", false],
    ["TOKEN_VERSION", false],
    ["PATH", false],
  ] as const
) {
  Deno.test(`runChecks ${isSecret ? "warns" : "is silent"} when an ARG or ENV is named ${name}`, () => {
    const found = isSecret ? ["SecretsUsedInArgOrEnv:2", "SecretsUsedInArgOrEnv:3"] : [];
    assert.deepEqual(check(`FROM a\nARG ${name}\nENV ${name}=x`), found);
    assert.deepEqual(check(`ARG ${name}\nFROM a`), []);
  });
}

Deno.test("runChecks is silent about rules that the policy skips", () => {
  const source = "FROM a AS B\nMAINTAINER x";
  assert.deepEqual(check(source, ["maintainerdeprecated"]), ["StageNameCasing:1"]);
  assert.deepEqual(check(source, ["all"]), []);
});

Deno.test("isSkippedAt compares without case when a comment names rules", () => {
  assert.ok(isSkippedAt({ skippedChecks: ["undefinedvar"] }, "UndefinedVar"));
  assert.ok(isSkippedAt({ skippedChecks: ["all"] }, "UndefinedVar"));
  assert.ok(!isSkippedAt({ skippedChecks: ["other"] }, "UndefinedVar"));
  assert.ok(!isSkippedAt({}, "UndefinedVar"));
});

for (
  const { source, found } of [
    { source: "# b the stage\nFROM a AS b", found: [] },
    { source: "# B the stage\nFROM a AS b", found: ["InvalidDefinitionDescription:2"] },
    { source: "# b\nFROM a AS b", found: ["InvalidDefinitionDescription:2"] },
    { source: "# anything\nFROM a", found: [] },
    { source: "# note\n\nFROM a AS b", found: [] },
    { source: "# note\n#\nFROM a AS b", found: [] },
    { source: "# note\n# b the stage\nFROM a AS b", found: [] },
    { source: "FROM a\n# the version\nARG V=1", found: ["InvalidDefinitionDescription:3"] },
    { source: "FROM a\n# W the other\nARG V=1 W", found: [] },
    { source: "FROM a\n# check=skip=UndefinedVar\nARG V=1", found: [] },
  ]
) {
  Deno.test(`runChecks finds ${JSON.stringify(found)} of experimental rules in ${JSON.stringify(source)}`, () => {
    assert.deepEqual(check(source, [], ["invaliddefinitiondescription"]), found);
    assert.deepEqual(check(source, [], ["all"]), found);
    assert.deepEqual(check(source), [], "it has to be asked for");
  });
}
