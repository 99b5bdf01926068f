/**
 * Which of the planner's findings are told: each once, by line, without those that the Dockerfile turns off with
 * `# check=skip=...`; and as an error when it says `error=true`. Source: Dockerfile reference, check directive.
 */
import { isSkippedAt } from "../dockerfile/checks.ts";
import { isCheckSkipped, parseCheckPolicy } from "../dockerfile/directives.ts";
import { type Dockerfile, DockerfileError, type Instruction } from "../dockerfile/instruction.ts";
import type { PlanWarning } from "./plan.ts";

/**
 * Gives the warnings to show, those without a line last. Throws DockerfileError at the first that stands for a build check
 * when the Dockerfile wants such to fail the build.
 */
export function settleWarnings(dockerfile: Dockerfile, warnings: readonly PlanWarning[]): readonly PlanWarning[] {
  const { check } = dockerfile.directives;
  const policy = check === undefined ? undefined : parseCheckPolicy(check, { startLine: 1, endLine: 1 });
  const instructions = new Map(
    allInstructions(dockerfile).map((instruction) => [instruction.range.startLine, instruction]),
  );
  const isSkipped = ({ rule, range }: PlanWarning): boolean => {
    if (rule === undefined) return false;
    const instruction = instructions.get(range?.startLine ?? 0);
    return (policy !== undefined && isCheckSkipped(policy, rule)) ||
      (instruction !== undefined && isSkippedAt(instruction, rule));
  };
  const told = new Map(
    warnings.filter((warning) => !isSkipped(warning)).map((warning) => [JSON.stringify(warning), warning]),
  );
  const settled = [...told.values()].toSorted((a, b) => lineOf(a) - lineOf(b));
  if (policy?.isError) throwViolation(settled);
  return settled;
}

function throwViolation(warnings: readonly PlanWarning[]): void {
  const violations = warnings.filter(({ rule }) => rule !== undefined);
  const [first] = violations;
  if (first === undefined) return;
  const rules = [...new Set(violations.map(({ rule }) => rule))].join(", ");
  const message = `Cannot accept Dockerfile: lint violation found for rules: ${rules}`;
  throw new DockerfileError(message, first.range, { hint: first.message });
}

function allInstructions(dockerfile: Dockerfile): readonly Instruction[] {
  return [...dockerfile.globalArgs, ...dockerfile.stages.flatMap(({ from, instructions }) => [from, ...instructions])];
}

function lineOf({ range }: PlanWarning): number {
  return range?.startLine ?? Number.MAX_SAFE_INTEGER;
}
