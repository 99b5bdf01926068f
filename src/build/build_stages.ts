/** The stages of a plan, one after the other, with what each leaves for the later ones. */
import type { Image } from "../image/image.ts";
import type { CopySource, Plan, StagePlan, Step } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import { buildStage, type BuiltStage } from "./build_stage.ts";

/** Builds all stages; gives the target's image. */
export async function buildStages(plan: Plan, session: BuildSession): Promise<Image> {
  const built = new Map<number, BuiltStage>();
  const kept = new Map<number, Rootfs>();
  const copiedFrom = stagesCopiedFrom(plan);
  for (const [position, stage] of plan.stages.entries()) {
    const parent = stage.base.kind === "stage" ? built.get(stage.base.stageIndex) : undefined;
    const needsRoot = copiedFrom.has(stage.index);
    const needsLayers = stage === plan.target || plan.stages.some((other) => isChildOf(other, stage));
    const result = await buildStage(stage, { parent, needsRoot, kept, needsLayers }, session);
    const isNextChild = isChildOf(plan.stages[position + 1], stage);
    const root = retire(result, { stage, needsRoot, isNextChild, kept }, session);
    built.set(stage.index, { ...result, root });
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
  return undefined;
}

function stagesCopiedFrom(plan: Plan): ReadonlySet<number> {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const sources = steps.flatMap(fileSources);
  return new Set(sources.flatMap((source) => source.kind === "stage" ? [source.stageIndex] : []));
}

/** Where a step takes files from. */
function fileSources(step: Step): readonly CopySource[] {
  if (step.kind === "copy") return [step.source];
  if (step.kind !== "run") return [];
  return (step.mounts ?? []).flatMap((mount) => "from" in mount && mount.from !== undefined ? [mount.from] : []);
}

function isChildOf(stage: StagePlan | undefined, parent: StagePlan): boolean {
  return stage?.base.kind === "stage" && stage.base.stageIndex === parent.index;
}
