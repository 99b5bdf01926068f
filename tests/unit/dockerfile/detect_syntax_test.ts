/** Files that name the frontend of another language. */
import assert from "node:assert/strict";
import { detectForeignSyntax } from "../../../src/dockerfile/detect_syntax.ts";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { splitPhysicalLines } from "../../../src/dockerfile/physical_lines.ts";
import { scanLines } from "../../../src/dockerfile/scan_lines.ts";

const CASES: readonly (readonly [source: string, found: readonly [value: string, line: number] | undefined])[] = [
  ["// syntax=x/y:1\nFROM a", ["x/y:1", 1]],
  ["//syntax = x\n", ["x", 1]],
  ["// check=skip=all\n// SYNTAX=x", ["x", 2]],
  ["// note\n// syntax=x", undefined],
  ["// syntax=\nFROM a", undefined],
  ['{"syntax": "x"}', ["x", 1]],
  ['\n{\n  "a": [1],\n  "syntax": "x"\n}\n', ["x", 4]],
  ['{"syntax": 1}', undefined],
  ['{"other": "x"}', undefined],
  ['{"syntax": "x"} more', undefined],
  ["FROM a\n// syntax=x", undefined],
  ["", undefined],
];

for (const [source, found] of CASES) {
  Deno.test(`detectForeignSyntax finds ${JSON.stringify(found)} in ${JSON.stringify(source)}`, () => {
    const directive = detectForeignSyntax(splitPhysicalLines(new TextEncoder().encode(source)), 1);
    assert.deepEqual(directive && [directive.value, directive.range.startLine], found);
  });
}

Deno.test("scanLines refuses a file for another frontend at the line that names it", () => {
  assert.throws(() => scanLines("#!/usr/bin/env x\n// syntax=other/language\nx"), (error: unknown) => {
    assert.ok(error instanceof DockerfileError);
    assert.match(error.message, /written for the frontend image "other\/language"/);
    assert.deepEqual(error.range, { startLine: 2, endLine: 2 });
    return true;
  });
});

Deno.test("scanLines reads directives after a first line that begins with #!, the escape directive excepted", () => {
  const { escape, directives } = scanLines("#!/usr/bin/env x\n# syntax=docker/dockerfile:1\n# check=skip=all\nFROM a");
  assert.deepEqual([escape, directives.map(({ key }) => key)], ["\\", ["syntax", "check"]]);
  assert.deepEqual(scanLines("#!x\n# escape=`\nFROM a").escape, "\\");
  assert.deepEqual(scanLines("\n#!x\n# check=skip=all\nFROM a").directives, []);
});
