/**
 * Build checks that need the syntax tree alone, and which findings a file asks not to see. Checks that need values
 * (undefined variables, platforms, ignored files) belong to the planner.
 */
import { findCasingFaults, findFromAsFaults, findStageNameFaults } from "./_casing_checks.ts";
import { checkMessage, type CheckName } from "./check_rules.ts";
import { type CheckPolicy, isCheckSkipped, isDirectiveComment } from "./directives.ts";
import type { DockerfileWarning, Instruction } from "./instruction.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { findDuplicateStages, findRepeatedInstructions } from "./_stage_checks.ts";

/** An instruction with the line it was parsed from. */
export interface ParsedLine {
  readonly line: LogicalLine;
  readonly instruction: Instruction;
}

/** One violation of a rule. */
export interface Finding {
  readonly at: ParsedLine;
  readonly message: string;
}

interface Check {
  readonly name: CheckName;
  /** Looks at all instructions of a file, in order. */
  readonly find: (parsed: readonly ParsedLine[]) => readonly Finding[];
}

const CHECKS: readonly Check[] = [
  { name: "StageNameCasing", find: findStageNameFaults },
  { name: "FromAsCasing", find: findFromAsFaults },
  { name: "NoEmptyContinuation", find: findEmptyContinuations },
  { name: "ConsistentInstructionCasing", find: findCasingFaults },
  { name: "DuplicateStageName", find: findDuplicateStages },
  { name: "ReservedStageName", find: findReservedNames },
  { name: "MaintainerDeprecated", find: findMaintainers },
  { name: "MultipleInstructionsDisallowed", find: findRepeatedInstructions },
  { name: "LegacyKeyValueFormat", find: findLegacyPairs },
  { name: "SecretsUsedInArgOrEnv", find: findSecrets },
  { name: "InvalidDefinitionDescription", find: findOddDescriptions },
];
const RESERVED_STAGE_NAMES: readonly string[] = ["context", "scratch"];
const SECRET_WORDS = new Set(
  ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"],
);
const HARMLESS_WORDS = new Set(["public", "file", "version"]);

/** Runs every check that `policy` and the comments above the instructions allow; warnings in the order of lines. */
export function runChecks(parsed: readonly ParsedLine[], policy: CheckPolicy): readonly DockerfileWarning[] {
  const warnings: DockerfileWarning[] = [];
  for (const { name, find } of CHECKS) {
    if (isCheckSkipped(policy, name)) continue;
    for (const { at, message } of find(parsed)) {
      if (!isSkippedAt(at.instruction, name)) warnings.push({ rule: name, message, range: at.line.range });
    }
  }
  return warnings.toSorted((a, b) => a.range.startLine - b.range.startLine);
}

/** Whether a comment above `instruction` turns off the check named `rule`; for the planner's checks too. */
export function isSkippedAt(instruction: Pick<Instruction, "skippedChecks">, rule: string): boolean {
  const skipped = instruction.skippedChecks ?? [];
  return skipped.includes("all") || skipped.includes(rule.toLowerCase());
}

function findEmptyContinuations(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.filter(({ line }) => line.hasEmptyContinuation)
    .map((at) => ({ at, message: checkMessage("NoEmptyContinuation") }));
}

function findReservedNames(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const name = at.instruction.kind === "FROM" ? at.instruction.stageName : undefined;
    if (name === undefined || !RESERVED_STAGE_NAMES.includes(name)) return [];
    return [{ at, message: checkMessage("ReservedStageName", name) }];
  });
}

function findMaintainers(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.filter(({ instruction }) => instruction.kind === "MAINTAINER")
    .map((at) => ({ at, message: checkMessage("MaintainerDeprecated") }));
}

function findLegacyPairs(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const { instruction } = at;
    if ((instruction.kind !== "ENV" && instruction.kind !== "LABEL") || !instruction.isLegacy) return [];
    const { kind } = instruction;
    return [{ at, message: checkMessage("LegacyKeyValueFormat", kind, kind) }];
  });
}

/** Global ARGs are not looked at, as in BuildKit: they never reach an image by themselves. */
function findSecrets(parsed: readonly ParsedLine[]): readonly Finding[] {
  const firstStage = parsed.findIndex(({ instruction }) => instruction.kind === "FROM");
  return parsed.slice(firstStage).flatMap((at) =>
    declaredNames(at.instruction).filter(soundsSecret).map((name) => ({
      at,
      message: checkMessage("SecretsUsedInArgOrEnv", at.instruction.kind, name),
    }))
  );
}

function declaredNames(instruction: Instruction): readonly string[] {
  if (instruction.kind === "ENV") return instruction.pairs.map(({ key }) => key);
  return instruction.kind === "ARG" ? instruction.args.map(({ name }) => name) : [];
}

function soundsSecret(name: string): boolean {
  const words = name.toLowerCase().split("_");
  return words.some((word) => SECRET_WORDS.has(word)) && !words.some((word) => HARMLESS_WORDS.has(word));
}

/** The comment right above an ARG or a named FROM is taken for its description, and should begin with its name. */
function findOddDescriptions(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const { instruction, line } = at;
    const names = describedNames(instruction);
    const comment = line.comments.at(-1);
    const [firstName, ...otherNames] = names;
    if (comment === undefined || firstName === undefined || isDirectiveComment(comment)) return [];
    const [subject = "", description] = comment.split(" ");
    if (description !== undefined && names.includes(subject)) return [];
    const example = otherNames.length === 0 ? firstName : "<arg_key>";
    return [{ at, message: checkMessage("InvalidDefinitionDescription", instruction.kind, example) }];
  });
}

function describedNames(instruction: Instruction): readonly string[] {
  if (instruction.kind === "ARG") return instruction.args.map(({ name }) => name);
  return instruction.kind === "FROM" && instruction.stageName !== undefined ? [instruction.stageName] : [];
}
