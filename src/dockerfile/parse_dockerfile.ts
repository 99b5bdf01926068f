/**
 * The whole parse: bytes of a Dockerfile -> stages, global ARGs and warnings. All faults of the instructions are gathered
 * and thrown as one error. Also parses the triggers that base images carry.
 */
import { type ParsedLine, runChecks } from "./checks.ts";
import {
  type CheckPolicy,
  type Directive,
  NO_POLICY,
  parseCheckPolicy,
  parseDirective,
  syntaxWarning,
} from "./directives.ts";
import {
  type ArgInstruction,
  type Directives,
  type Dockerfile,
  DockerfileError,
  type DockerfileWarning,
  type FromInstruction,
  type Instruction,
  type SourceRange,
  type Stage,
  type StageInstruction,
} from "./instruction.ts";
import { parseInstruction } from "./parse_instruction.ts";
import { type LogicalLine, scanLines } from "./scan_lines.ts";
import { type EscapeCharacter, trimSpace } from "./words.ts";

/** What the caller of the parse wants otherwise than the file says, and to know although it fails. */
export interface ParseOptions {
  /** Takes the place of the file's `check` directive (build-arg BUILDKIT_DOCKERFILE_CHECK). */
  readonly check?: string | undefined;
  /** Takes the place of the file's `syntax` directive (build-arg BUILDKIT_SYNTAX). */
  readonly syntax?: string | undefined;
  /** Gets the warnings of the lines that could be parsed when others could not. */
  readonly onFailure?: ((warnings: readonly DockerfileWarning[]) => void) | undefined;
}

const FIRST_LINE: SourceRange = { startLine: 1, endLine: 1 };

/**
 * Parses a Dockerfile. Throws DockerfileError: at once for a file that cannot be cut into lines, else for the first faulty
 * instruction, with the faults of the others in `others`. Violations that `# check=error=true` forbids are warnings here:
 * the planner has the last word on them.
 */
export function parseDockerfile(source: Uint8Array, options: ParseOptions = {}): Dockerfile {
  if (source.length === 0) throw new DockerfileError("Cannot parse Dockerfile: the file is empty", FIRST_LINE);
  const { escape, directives: written, lines } = scanLines(source);
  if (lines.length === 0) {
    throw new DockerfileError("Cannot parse Dockerfile: the file has no instructions", FIRST_LINE);
  }
  const directives = withOverrides(written, options);
  const policy = filePolicy(directives);
  const { parsed, errors } = parseLines(lines, escape);
  const warnings = [...syntaxWarnings(directives), ...runChecks(parsed, policy)];
  if (errors.length > 0) options.onFailure?.(warnings);
  throwAll(errors);
  const { globalArgs, stages } = groupStages(parsed.map(({ instruction }) => instruction));
  return { directives: directiveValues(directives, escape), globalArgs, stages, warnings };
}

/**
 * Parses the text of one ONBUILD trigger, as an image config holds it. Errors and the result are at `range`: the FROM that
 * brought the trigger in. Throws DockerfileError, also for triggers that ONBUILD does not allow.
 */
export function parseTrigger(text: string, range: SourceRange): StageInstruction {
  try {
    const { escape, lines } = scanLines(text);
    const [line] = lines;
    if (line === undefined || lines.length > 1) {
      throw new DockerfileError("the trigger must be one instruction", range);
    }
    const instruction = parseInstruction({ ...line, range }, escape);
    if (instruction.kind === "FROM" || instruction.kind === "ONBUILD" || instruction.kind === "MAINTAINER") {
      throw new DockerfileError(`${instruction.kind} isn't allowed as an ONBUILD trigger`, range);
    }
    return instruction;
  } catch (error: unknown) {
    if (!(error instanceof DockerfileError)) throw error;
    const message = `Cannot run ONBUILD trigger ${JSON.stringify(text)} of the base image: ${error.message}`;
    throw new DockerfileError(message, range, { cause: error, hint: error.hint });
  }
}

function parseLines(
  lines: readonly LogicalLine[],
  escape: EscapeCharacter,
): { readonly parsed: readonly ParsedLine[]; readonly errors: readonly DockerfileError[] } {
  const parsed: ParsedLine[] = [];
  const errors: DockerfileError[] = [];
  let hasStage = false;
  for (const line of lines) {
    try {
      const instruction = parseInstruction(line, escape);
      hasStage ||= instruction.kind === "FROM";
      if (!hasStage && instruction.kind !== "ARG") throw beforeFirstStage(line);
      parsed.push({ line, instruction: withSkippedChecks(instruction, line) });
    } catch (error: unknown) {
      if (!(error instanceof DockerfileError)) throw error;
      errors.push(error);
      // One fault is reported once: after a faulty or misspelt FROM, what follows counts as being in a stage.
      hasStage ||= line.keyword.toUpperCase() !== "ARG";
    }
  }
  return { parsed, errors };
}

function beforeFirstStage(line: LogicalLine): DockerfileError {
  return new DockerfileError(
    `Cannot use ${line.keyword.toUpperCase()} here: no build stage in current context`,
    line.range,
    { hint: "Only ARG may come before the first FROM" },
  );
}

function throwAll(errors: readonly DockerfileError[]): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new DockerfileError(first.message, first.range, { cause: first.cause, hint: first.hint, others });
}

function groupStages(
  instructions: readonly Instruction[],
): { readonly globalArgs: readonly ArgInstruction[]; readonly stages: readonly Stage[] } {
  const globalArgs: ArgInstruction[] = [];
  const stages: { readonly from: FromInstruction; readonly instructions: StageInstruction[] }[] = [];
  for (const instruction of instructions) {
    const current = stages.at(-1);
    if (instruction.kind === "FROM") stages.push({ from: instruction, instructions: [] });
    else if (current !== undefined) current.instructions.push(instruction);
    else if (instruction.kind === "ARG") globalArgs.push(instruction);
  }
  if (stages.length === 0) {
    throw new DockerfileError("Cannot parse Dockerfile: it contains no stages to build", argRange(globalArgs), {
      hint: "Begin a stage with FROM",
    });
  }
  return { globalArgs, stages: stages.map((stage, index) => ({ index, ...stage })) };
}

/** The ARGs of a file that has nothing else. */
function argRange(globalArgs: readonly ArgInstruction[]): SourceRange {
  const last = globalArgs.at(-1)?.range ?? FIRST_LINE;
  return { startLine: globalArgs[0]?.range.startLine ?? last.startLine, endLine: last.endLine };
}

function withOverrides(directives: readonly Directive[], { check, syntax }: ParseOptions): readonly Directive[] {
  const overrides = Object.entries({ check, syntax }).flatMap(([key, value]): readonly Directive[] =>
    value === undefined || (key !== "check" && key !== "syntax") ? [] : [{ key, value, range: FIRST_LINE }]
  );
  return [...directives.filter((directive) => !overrides.some(({ key }) => key === directive.key)), ...overrides];
}

function directiveValues(directives: readonly Directive[], escape: EscapeCharacter): Directives {
  const syntax = directives.find(({ key }) => key === "syntax")?.value;
  const check = directives.find(({ key }) => key === "check")?.value;
  return { ...(syntax === undefined ? {} : { syntax }), escape, ...(check === undefined ? {} : { check }) };
}

function syntaxWarnings(directives: readonly Directive[]): readonly DockerfileWarning[] {
  return directives.filter(({ key }) => key === "syntax").map(syntaxWarning).filter((warning) => warning !== undefined);
}

function filePolicy(directives: readonly Directive[]): CheckPolicy {
  const directive = directives.find(({ key }) => key === "check");
  return directive === undefined ? NO_POLICY : parseCheckPolicy(directive.value, directive.range);
}

/** Notes the rules that `# check=skip=...` comments above an instruction turn off. */
function withSkippedChecks<T extends Instruction>(instruction: T, line: LogicalLine): T {
  const skippedChecks = line.comments.flatMap((comment) => {
    const directive = parseDirective(`#${comment}`, line.range);
    const options = directive?.key === "check" ? directive.value.split(";").map(trimSpace) : [];
    return options.filter((option) => option.startsWith("skip="))
      .flatMap((option) => [...parseCheckPolicy(option, line.range).skip]);
  });
  return skippedChecks.length === 0 ? instruction : { ...instruction, skippedChecks };
}
