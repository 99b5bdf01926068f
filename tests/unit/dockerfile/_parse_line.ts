/** Shared by the tests of this folder: one line of a Dockerfile, scanned and parsed. */
import assert from "node:assert/strict";
import { DockerfileError, type Instruction } from "../../../src/dockerfile/instruction.ts";
import { parseInstruction } from "../../../src/dockerfile/parse_instruction.ts";
import { type LogicalLine, scanLines } from "../../../src/dockerfile/scan_lines.ts";

/** Scans `text`, which must hold one instruction. */
export function scanLine(text: string): LogicalLine {
  const [line, ...others] = scanLines(text).lines;
  assert.ok(line !== undefined && others.length === 0, `${JSON.stringify(text)} is one line`);
  return line;
}

/** Parses `text` and drops what every instruction carries. */
export function parseLine(text: string): Omit<Instruction, "range" | "raw"> {
  const { range: _range, raw: _raw, ...rest } = parseInstruction(scanLine(text), "\\");
  return rest;
}

/** Asserts that `text` is refused for `cause`, with `hint` if one is given. */
export function assertRefused(text: string, cause: RegExp, hint?: string): void {
  assert.throws(() => parseLine(text), (error: unknown) => {
    assert.ok(error instanceof DockerfileError);
    assert.match(error.message, cause);
    assert.deepEqual(error.range, scanLine(text).range);
    if (hint !== undefined) assert.equal(error.hint, hint);
    return true;
  });
}
