/**
 * From a Dockerfile to the plan: global variables, origins of the stages, images resolved, and then each needed stage
 * instruction by instruction. Nothing after this looks at a Dockerfile again.
 */
import type { Dockerfile, SourceRange } from "../dockerfile/instruction.ts";
import { InternalError } from "../errors.ts";
import { formatPlatform, type Platform, platformFit } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import { globalScope, inheritScope, startScope, unusedBuildArgs } from "./args.ts";
import { applyLabels, imageState, inheritedState, scratchState } from "./config_state.ts";
import { type Origin, readOrigins, readReference } from "./from_lines.ts";
import { type LoadedStage, type LoadedStages, loadStages } from "./load_stages.ts";
import { contextStep, findContext, mentionedNames, unusedContexts, withoutReplacedStages } from "./named_contexts.ts";
import type {
  BaseResolver,
  CopySource,
  Plan,
  PlanOptions,
  PlanWarning,
  ResolvedImage,
  StageBase,
  StagePlan,
} from "./plan.ts";
import { planStage, type StageProgress, type StageSurroundings } from "./plan_stage.ts";
import { imageKey } from "./resolve_images.ts";
import { refuseViolations, settleWarnings } from "./settle_warnings.ts";
import { sourceDateEpoch } from "./source_epoch.ts";
import { checkWarning } from "./stage_checks.ts";
import { copyOrigin, type FilesReference, findTarget } from "./stage_graph.ts";

/** A stage's end, from which stages FROM it go on. */
interface PlannedStage {
  readonly plan: StagePlan;
  readonly progress: StageProgress;
}

/**
 * Plans the build of `dockerfile`. Resolves only the images that the target needs, all of a round at once and each once.
 * Throws DockerfileError, with the lines at fault, also for violations of checks where the file says `error=true`; passes
 * on what `resolver` throws.
 */
export async function makePlan(dockerfile: Dockerfile, options: PlanOptions, resolver: BaseResolver): Promise<Plan> {
  const collected: PlanWarning[] = [];
  const plan = await planStages(dockerfile, options, { resolver, warn: (warning) => collected.push(warning) });
  const warnings = settleWarnings(dockerfile, collected, new Set(plan.stages.map(({ index }) => index)));
  refuseViolations(dockerfile, warnings);
  return { ...plan, warnings };
}

/** Plans the build and tells `warn` of everything doubtful, wanted or not, as it is found. Throws as {@link makePlan} does. */
export async function planStages(
  written: Dockerfile,
  options: PlanOptions,
  { resolver, warn }: { readonly resolver: BaseResolver; readonly warn: (warning: PlanWarning) => void },
): Promise<Omit<Plan, "warnings">> {
  const dockerfile = withoutReplacedStages(written, options.namedContexts);
  const global = globalScope(dockerfile, options);
  const { origins, names, warnings } = readOrigins(dockerfile, global, options);
  warnings.forEach(warn);
  unusedContexts(options.namedContexts, mentionedNames(dockerfile, names)).forEach((message) => warn({ message }));
  const target = findTarget(dockerfile.stages, options.target);
  const targets = options.allStages === true ? dockerfile.stages.map(({ index }) => index) : [target];
  const epoch = sourceDateEpoch(dockerfile, global, options);
  const loaded = await loadStages({ dockerfile, origins, targets, options, resolver });
  const surroundings: StageSurroundings = {
    dockerfile,
    options,
    global,
    copySource: (index, reference) => copySource(index, reference, { dockerfile, options, loaded }),
    warn,
  };
  const planned = new Map<number, PlannedStage>();
  for (const stage of loaded.stages) planned.set(stage.stage.index, planOne(stage, { loaded, planned, surroundings }));
  const stages = [...planned.values()].map(({ plan }) => plan);
  const last = stages.at(-1) ?? invariant("a plan has a target");
  const instructions = [...dockerfile.stages, ...loaded.stages].flatMap((stage) => stage.instructions);
  unusedBuildArgs(options.buildArgs, global, instructions).map(unusedWarning).forEach(warn);
  const plan = { target: last, stages };
  return epoch === undefined ? plan : { ...plan, sourceDateEpoch: epoch };
}

interface Planning {
  readonly loaded: LoadedStages;
  readonly planned: ReadonlyMap<number, PlannedStage>;
  readonly surroundings: StageSurroundings;
}

function planOne(stage: LoadedStage, planning: Planning): PlannedStage {
  const { surroundings, loaded } = planning;
  const { from, index } = stage.stage;
  const start = startStage(stage.origin, from.range, planning);
  const progress = planStage(stage, start.progress, surroundings);
  const isTarget = stage === loaded.stages.at(-1);
  const state = isTarget ? applyLabels(progress.state, surroundings.options.labels) : progress.state;
  const plan = {
    index,
    ...(from.stageName === undefined ? {} : { name: from.stageName }),
    base: start.base,
    platform: start.platform,
    steps: progress.steps,
    config: state.config,
    ...(state.author === undefined ? {} : { author: state.author }),
  };
  return { plan, progress };
}

interface StageStart {
  readonly base: StageBase;
  readonly platform: Platform;
  readonly progress: StageProgress;
}

function startStage(origin: Origin, range: SourceRange, planning: Planning): StageStart {
  switch (origin.kind) {
    case "scratch": {
      const state = scratchState();
      const progress = { state, scope: startScope(state.config.Env ?? []), steps: [] };
      return { base: { kind: "scratch" }, platform: origin.platform, progress };
    }
    case "image": {
      const { platform } = origin;
      const key = imageKey(origin.reference, platform);
      const image = planning.loaded.images.get(key) ?? invariant("every base image is resolved");
      platformWarning(image, platform, range).forEach(planning.surroundings.warn);
      const state = imageState(image.config);
      const progress = { state, scope: startScope(state.config.Env ?? []), steps: [] };
      return { base: { kind: "image", image }, platform, progress };
    }
    case "named": {
      const state = scratchState();
      const step = contextStep(origin, range);
      const progress = { state, scope: startScope(state.config.Env ?? []), steps: [step] };
      return { base: { kind: "scratch" }, platform: origin.platform, progress };
    }
    case "stage": {
      const base = planning.planned.get(origin.stageIndex) ?? invariant("a base stage is planned first");
      const state = inheritedState(base.progress.state);
      const scope = inheritScope(base.progress.scope, state.config.Env ?? []);
      const { platform } = base.plan;
      return {
        base: { kind: "stage", stageIndex: origin.stageIndex },
        platform,
        progress: { state, scope, steps: [] },
      };
    }
  }
}

function copySource(
  stageIndex: number,
  reference: FilesReference,
  { dockerfile, options, loaded }: {
    readonly dockerfile: Dockerfile;
    readonly options: PlanOptions;
    readonly loaded: LoadedStages;
  },
): CopySource {
  const origin = copyOrigin(dockerfile.stages, stageIndex, reference);
  if (origin.kind !== "image") return origin;
  const named = findContext(options.namedContexts, origin.name);
  if (named !== undefined && named.context.kind !== "image") {
    return { kind: "named", name: named.name, files: named.context };
  }
  const wanted = named?.context.kind === "image"
    ? named.context.reference
    : readReference(origin.name, reference.range);
  const key = imageKey(wanted, options.targetPlatform);
  return { kind: "image", image: loaded.images.get(key) ?? invariant("every image copied from is resolved") };
}

function platformWarning(image: ResolvedImage, wanted: Platform, range: SourceRange): readonly PlanWarning[] {
  const { os, architecture, variant } = image.config;
  const offered = variant === undefined ? { os, architecture } : { os, architecture, variant };
  if (os === "" || architecture === "" || platformFit(wanted, offered) !== undefined) return [];
  const words = [formatReference(image.reference), formatPlatform(offered), formatPlatform(wanted)];
  return [checkWarning("InvalidBaseImagePlatform", range, ...words)];
}

function unusedWarning(name: string): PlanWarning {
  return { message: `Build argument "${name}" is not used: no ARG declares it` };
}

function invariant(text: string): never {
  throw new InternalError(`Broken invariant: ${text}`);
}
