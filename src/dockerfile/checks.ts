/**
 * Build checks that need the syntax tree alone: the table of rules, and which findings a file asks not to see. Rule names and
 * texts are BuildKit's; checks that need values (undefined variables, platforms, ignored files) belong to the planner.
 */
import { findCasingFaults, findFromAsFaults, findProtocolFaults, findStageNameFaults } from "./_casing_checks.ts";
import { type CheckPolicy, isCheckSkipped } from "./directives.ts";
import type { DockerfileWarning, Instruction } from "./instruction.ts";
import type { LogicalLine } from "./scan_lines.ts";
import {
  findDuplicateStages,
  findRelativeWorkdirs,
  findRepeatedInstructions,
  findShellForms,
} from "./_stage_checks.ts";

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

interface Rule {
  readonly name: string;
  /** Looks at all instructions of a file, in order. */
  readonly find: (parsed: readonly ParsedLine[]) => readonly Finding[];
}

const RULES: readonly Rule[] = [
  { name: "StageNameCasing", find: findStageNameFaults },
  { name: "FromAsCasing", find: findFromAsFaults },
  { name: "NoEmptyContinuation", find: findEmptyContinuations },
  { name: "ConsistentInstructionCasing", find: findCasingFaults },
  { name: "DuplicateStageName", find: findDuplicateStages },
  { name: "ReservedStageName", find: findReservedNames },
  { name: "JSONArgsRecommended", find: findShellForms },
  { name: "MaintainerDeprecated", find: findMaintainers },
  { name: "WorkdirRelativePath", find: findRelativeWorkdirs },
  { name: "MultipleInstructionsDisallowed", find: findRepeatedInstructions },
  { name: "LegacyKeyValueFormat", find: findLegacyPairs },
  { name: "SecretsUsedInArgOrEnv", find: findSecrets },
  { name: "ExposeProtoCasing", find: findProtocolFaults },
];
const RESERVED_STAGE_NAMES: readonly string[] = ["context", "scratch"];
const SECRET_WORDS = new Set(
  ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"],
);
const HARMLESS_WORDS = new Set(["public", "file", "version"]);

/** Runs every check that `policy` and the comments above the instructions allow; warnings in the order of lines. */
export function runChecks(parsed: readonly ParsedLine[], policy: CheckPolicy): readonly DockerfileWarning[] {
  const warnings: DockerfileWarning[] = [];
  for (const rule of RULES) {
    if (isCheckSkipped(policy, rule.name)) continue;
    for (const { at, message } of rule.find(parsed)) {
      if (!isSkippedAt(at.instruction, rule.name)) {
        warnings.push({ rule: rule.name, message, range: at.line.range });
      }
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
    .map((at) => ({ at, message: "Empty continuation line" }));
}

function findReservedNames(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const name = at.instruction.kind === "FROM" ? at.instruction.stageName : undefined;
    if (name === undefined || !RESERVED_STAGE_NAMES.includes(name)) return [];
    return [{ at, message: `Stage name should not use the same name as reserved stage "${name}"` }];
  });
}

function findMaintainers(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.filter(({ instruction }) => instruction.kind === "MAINTAINER")
    .map((at) => ({ at, message: "Maintainer instruction is deprecated in favor of using label" }));
}

function findLegacyPairs(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const { instruction } = at;
    if ((instruction.kind !== "ENV" && instruction.kind !== "LABEL") || !instruction.isLegacy) return [];
    const { kind } = instruction;
    return [{ at, message: `"${kind} key=value" should be used instead of legacy "${kind} key value" format` }];
  });
}

/** Global ARGs are not looked at, as in BuildKit: they never reach an image by themselves. */
function findSecrets(parsed: readonly ParsedLine[]): readonly Finding[] {
  const firstStage = parsed.findIndex(({ instruction }) => instruction.kind === "FROM");
  return parsed.slice(firstStage).flatMap((at) =>
    declaredNames(at.instruction).filter(soundsSecret).map((name) => ({
      at,
      message: `Do not use ARG or ENV instructions for sensitive data (${at.instruction.kind} ${JSON.stringify(name)})`,
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
