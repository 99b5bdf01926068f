/**
 * Build checks that compare stages or the instructions of one.
 */
import { checkMessage } from "./check_rules.ts";
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
    return isRepeated ? [{ at, message: checkMessage("DuplicateStageName", name) }] : [];
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
    if (replaced !== undefined) {
      findings.push({ at: replaced, message: checkMessage("MultipleInstructionsDisallowed", kind) });
    }
    earlier.set(kind, at);
  }
  return findings;
}
