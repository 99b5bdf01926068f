/** The stages of a plan, one after the other, with what each leaves for the later ones. */
import type { Image } from "../image/image.ts";
import type { Plan, StagePlan } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import { buildStage, type BuiltStage } from "./build_stage.ts";
import { allStages, lookAhead } from "./look_ahead.ts";

/** Builds the stages that the cache does not make needless; gives the target's image. */
export async function buildStages(plan: Plan, session: BuildSession): Promise<Image> {
  const built = new Map<number, BuiltStage>();
  const kept = new Map<number, Rootfs>();
  const { caching } = session;
  const needs = caching === undefined ? allStages(plan) : await lookAhead(plan, caching);
  const stages = plan.stages.filter(({ index }) => needs.stages.has(index));
  for (const [position, stage] of stages.entries()) {
    const parent = stage.base.kind === "stage" ? built.get(stage.base.stageIndex) : undefined;
    const needsRoot = needs.roots.has(stage.index);
    const needsLayers = stage === plan.target || stages.some((other) => isChildOf(other, stage));
    const result = await buildStage(stage, { parent, needsRoot, kept, needsLayers }, session);
    const isNextChild = isChildOf(stages[position + 1], stage);
    const root = retire(result, { stage, needsRoot, isNextChild, kept }, session);
    built.set(stage.index, { ...result, root });
    if (parent !== undefined && stage.base.kind === "stage") {
      built.set(stage.base.stageIndex, { ...parent, root: undefined }); // it was worked on, and is no longer the parent's
    }
  }
  const target = built.get(plan.target.index);
  if (target === undefined) throw new TypeError("the plan's target is not among its stages");
  return target.image;
}

/** What decides over a finished stage's root. */
interface Retirement {
  readonly stage: StagePlan;
  readonly needsRoot: boolean;
  readonly isNextChild: boolean;
  readonly kept: Map<number, Rootfs>;
}

/** Keeps, hands on or drops the root of a finished stage; gives it when the next stage goes on working on it. */
function retire(result: BuiltStage, retirement: Retirement, session: BuildSession): BuiltStage["root"] {
  const { stage, needsRoot, isNextChild, kept } = retirement;
  if (result.root === undefined) return undefined;
  if (needsRoot) {
    kept.set(stage.index, session.roots.keep(result.root.rootfs, stage.index));
    return undefined;
  }
  if (isNextChild) return result.root;
  session.roots.drop(result.root.rootfs);
  session.work.disk.set(result.root.rootfs.path, 0);
  return undefined;
}

function isChildOf(stage: StagePlan | undefined, parent: StagePlan): boolean {
  return stage?.base.kind === "stage" && stage.base.stageIndex === parent.index;
}
