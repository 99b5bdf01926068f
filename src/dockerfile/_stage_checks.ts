/**
 * Build checks that follow the instructions of a stage, and what a stage takes over from the stage it is built on.
 */
import type { Finding, ParsedLine } from "./checks.ts";
import type { Instruction } from "./instruction.ts";

/** Instructions of which the last alone counts. */
const SINGLE_KINDS: readonly Instruction["kind"][] = ["CMD", "ENTRYPOINT", "HEALTHCHECK"];

/** Stages that have the name of an earlier one. */
export function findDuplicateStages(parsed: readonly ParsedLine[]): readonly Finding[] {
  const seen = new Set<string>();
  return parsed.flatMap((at) => {
    const name = at.instruction.kind === "FROM" ? at.instruction.stageName : undefined;
    if (name === undefined) return [];
    const isRepeated = seen.has(name);
    seen.add(name);
    return isRepeated ? [{ at, message: `Duplicate stage name "${name}", stage names should be unique` }] : [];
  });
}

/** CMD and ENTRYPOINT in shell form where no SHELL was chosen. */
export function findShellForms(parsed: readonly ParsedLine[]): readonly Finding[] {
  return visitStages(parsed, (at, hasShell) => {
    const { instruction } = at;
    const isCommand = instruction.kind === "CMD" || instruction.kind === "ENTRYPOINT";
    const isFault = isCommand && instruction.command.kind === "shell" && !hasShell;
    const message =
      `JSON arguments recommended for ${instruction.kind} to prevent unintended behavior related to OS signals`;
    return { state: hasShell || instruction.kind === "SHELL", findings: isFault ? [{ at, message }] : [] };
  });
}

/** The first WORKDIR of a stage when it is relative. One that begins with a variable gets the benefit of the doubt. */
export function findRelativeWorkdirs(parsed: readonly ParsedLine[]): readonly Finding[] {
  return visitStages(parsed, (at, hasWorkdir) => {
    if (at.instruction.kind !== "WORKDIR") return { state: hasWorkdir, findings: [] };
    const { path } = at.instruction;
    const isFault = !hasWorkdir && !/^["']?[/$]/.test(path);
    const message = `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`;
    return { state: true, findings: isFault ? [{ at, message }] : [] };
  });
}

/** All but the last CMD, ENTRYPOINT and HEALTHCHECK of each stage. */
export function findRepeatedInstructions(parsed: readonly ParsedLine[]): readonly Finding[] {
  const findings: Finding[] = [];
  let earlier = new Map<string, ParsedLine>();
  for (const at of parsed) {
    const { kind } = at.instruction;
    if (kind === "FROM") earlier = new Map();
    if (!SINGLE_KINDS.includes(kind)) continue;
    const replaced = earlier.get(kind);
    const message =
      `Multiple ${kind} instructions should not be used in the same stage because only the last one will be used`;
    if (replaced !== undefined) findings.push({ at: replaced, message });
    earlier.set(kind, at);
  }
  return findings;
}

interface Visit {
  /** Whether it holds after this instruction. */
  readonly state: boolean;
  readonly findings: readonly Finding[];
}

/** Walks the instructions with one fact that a stage begins with as its base stage left it. */
function visitStages(
  parsed: readonly ParsedLine[],
  visit: (at: ParsedLine, state: boolean) => Visit,
): readonly Finding[] {
  const left = new Map<string, boolean>();
  const findings: Finding[] = [];
  let stage = "";
  let state = false;
  for (const at of parsed) {
    if (at.instruction.kind === "FROM") {
      left.set(stage, state);
      state = left.get(at.instruction.image) ?? false;
      stage = at.instruction.stageName ?? "";
    } else {
      const visited = visit(at, state);
      state = visited.state;
      findings.push(...visited.findings);
    }
  }
  return findings;
}
