/**
 * FROM: base image, platform and stage name.
 */
import type { FromInstruction } from "./instruction.ts";
import { parseFlags } from "./parse_flags.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { splitBlanks } from "./words.ts";
import { syntaxError } from "./_syntax_error.ts";

const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/;

/** Parses `FROM [--platform=p] image [AS name]`. Throws DockerfileError. */
export function parseFrom(line: LogicalLine): FromInstruction {
  const words = splitBlanks(line.rest);
  const [image = "", as = "", name = ""] = words;
  const isNamed = words.length === 3 && as.toLowerCase() === "as";
  if (words.length !== 1 && !isNamed) throw syntaxError(line, "FROM requires either one or three arguments");
  const stageName = name.toLowerCase();
  if (isNamed && !STAGE_NAME.test(stageName)) {
    throw syntaxError(
      line,
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
    );
  }
  const platform = parseFlags(line, { platform: "text" }).text("platform");
  return {
    kind: "FROM",
    range: line.range,
    raw: line.raw,
    image,
    ...(platform === undefined ? {} : { platform }),
    ...(isNamed ? { stageName } : {}),
  };
}
