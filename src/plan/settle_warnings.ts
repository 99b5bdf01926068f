/**
 * Which findings of parser and planner are told: each once, by line, without those that the Dockerfile turns off with
 * `# check=skip=...`; and as an error when it says `error=true`. Source: Dockerfile reference, check directive.
 */
import { findRule } from "../dockerfile/check_rules.ts";
import { isSkippedAt } from "../dockerfile/checks.ts";
import { type CheckPolicy, isCheckSkipped, NO_POLICY, parseCheckPolicy } from "../dockerfile/directives.ts";
import { type Dockerfile, DockerfileError, type Instruction } from "../dockerfile/instruction.ts";
import type { PlanWarning } from "./plan.ts";

/**
 * Gives the warnings to show, those without a line last: `warnings` of the planner, and the parser's own, those about
 * the working of a stage only for the stages that are `planned` (all of them when it is undefined).
 */
export function settleWarnings(
  dockerfile: Dockerfile,
  warnings: readonly PlanWarning[],
  planned: ReadonlySet<number> | undefined,
): readonly PlanWarning[] {
  const policy = policyOf(dockerfile);
  const instructions = new Map(
    allInstructions(dockerfile).map((instruction) => [instruction.range.startLine, instruction]),
  );
  const isSkipped = ({ rule, range }: PlanWarning): boolean => {
    if (rule === undefined) return false;
    const instruction = instructions.get(range?.startLine ?? 0);
    return isCheckSkipped(policy, rule) || (instruction !== undefined && isSkippedAt(instruction, rule));
  };
  const parsers = dockerfile.warnings.filter((warning) => isInPlan(warning, dockerfile, planned));
  const wanted = [...parsers, ...warnings].filter((warning) => !isSkipped(warning));
  const told = new Map(wanted.map((warning) => [JSON.stringify(warning), warning]));
  return [...told.values()].toSorted((a, b) => lineOf(a) - lineOf(b));
}

/**
 * Throws DockerfileError when the Dockerfile wants violations of build checks to fail the build and there are some: at
 * the first, with all others in `others`.
 */
export function refuseViolations(dockerfile: Dockerfile, warnings: readonly PlanWarning[]): void {
  if (!policyOf(dockerfile).isError) return;
  const violations = warnings.flatMap(({ rule = "", message, range }) =>
    range === undefined || findRule(rule) === undefined ? [] : [{ rule, message, range }]
  );
  const [first, ...others] = violations;
  if (first === undefined) return;
  const rules = [...new Set(violations.map(({ rule }) => rule))].join(", ");
  const message = `Cannot accept Dockerfile: lint violation found for rules: ${rules}`;
  throw new DockerfileError(message, first.range, {
    hint: `${first.rule}: ${first.message}`,
    others: others.map((other) => new DockerfileError(`${other.rule}: ${other.message}`, other.range)),
  });
}

function policyOf({ directives: { check } }: Dockerfile): CheckPolicy {
  return check === undefined ? NO_POLICY : parseCheckPolicy(check, { startLine: 1, endLine: 1 });
}

function isInPlan(
  { rule, range }: PlanWarning,
  { stages }: Dockerfile,
  planned: ReadonlySet<number> | undefined,
): boolean {
  if (planned === undefined || findRule(rule ?? "")?.isOfStage !== true) return true;
  const line = range?.startLine ?? 0;
  const stage = stages.findLast(({ from }) => from.range.startLine <= line);
  return stage === undefined || planned.has(stage.index);
}

function allInstructions(dockerfile: Dockerfile): readonly Instruction[] {
  return [...dockerfile.globalArgs, ...dockerfile.stages.flatMap(({ from, instructions }) => [from, ...instructions])];
}

function lineOf({ range }: PlanWarning): number {
  return range?.startLine ?? Number.MAX_SAFE_INTEGER;
}
