/**
 * The one grammar of parse errors: "Cannot parse <INSTRUCTION>: <cause>", at the lines of the instruction.
 */
import { DockerfileError } from "./instruction.ts";
import type { LogicalLine } from "./scan_lines.ts";

/** Makes the error about `line` whose cause is `cause`, for the caller to throw. */
export function syntaxError(line: LogicalLine, cause: string, hint?: string): DockerfileError {
  return new DockerfileError(`Cannot parse ${line.keyword.toUpperCase()}: ${cause}`, line.range, { hint });
}

/** The error of an instruction that was given no arguments. */
export function missingArgument(line: LogicalLine): DockerfileError {
  return syntaxError(line, `${line.keyword.toUpperCase()} requires at least one argument`);
}
