/**
 * The build checks without a build: plans every stage, or those that the target needs, and gives what was found, together
 * with the fault that stopped the planning if there was one. Images are resolved, nothing of them is fetched but configs.
 */
import type { Dockerfile } from "../dockerfile/instruction.ts";
import { BuilderError } from "../errors.ts";
import { planStages } from "./make_plan.ts";
import type { BaseResolver, PlanOptions, PlanWarning } from "./plan.ts";
import { settleWarnings } from "./settle_warnings.ts";

/** What the checks found, by line; and why a build would fail. */
export interface CheckedPlan {
  readonly warnings: readonly PlanWarning[];
  readonly failure?: BuilderError;
}

/** Checks `dockerfile`. Throws what is not about it: a cancelled build, and bugs. */
export async function checkPlan(
  dockerfile: Dockerfile,
  options: PlanOptions,
  resolver: BaseResolver,
): Promise<CheckedPlan> {
  const collected: PlanWarning[] = [];
  const warn = (warning: PlanWarning): void => void collected.push(warning);
  try {
    const allStages = options.target === undefined;
    const plan = await planStages(dockerfile, { ...options, allStages }, { resolver, warn });
    const planned = new Set(plan.stages.map(({ index }) => index));
    return { warnings: settleWarnings(dockerfile, collected, planned) };
  } catch (error: unknown) {
    if (!(error instanceof BuilderError) || error.code === "cancelled" || error.code === "internal") throw error;
    return { warnings: settleWarnings(dockerfile, collected, undefined), failure: error };
  }
}
