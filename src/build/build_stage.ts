/** One stage: its base, then step after step, each appending its layer or its history entry to the image. */
import { type Image, scratchImage } from "../image/image.ts";
import { withContainerConfig } from "../image/mutate.ts";
import type { StagePlan } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import { runStep } from "./run_step.ts";
import { atSource } from "./source_error.ts";
import type { Layering } from "./step_layer.ts";
import { StageRoot } from "./stage_root.ts";
import { unpackImage } from "./unpack.ts";

/** A stage that is done. */
export interface BuiltStage {
  readonly image: Image;
  /** The live root with the stage's files; undefined when no step needed one or it is somebody else's now. */
  readonly root: StageRoot | undefined;
  /** See {@link StepPlace}: when the base image was made, so that the same steps make the same layers. */
  readonly implicitTimeNs: bigint;
}

/** What a stage is built from. */
export interface StageStart {
  /** The parent stage's result, for `FROM <stage>`. A root it still has is worked on further. */
  readonly parent: BuiltStage | undefined;
  /** Whether other stages copy files from this one, so that it needs a root even without steps. */
  readonly needsRoot: boolean;
  /** The files of finished stages, by stage index. */
  readonly kept: ReadonlyMap<number, Rootfs>;
  /** Whether the stage is the target, or others start from it: without layers only its files are wanted. */
  readonly needsLayers: boolean;
}

/** Builds the stage. Throws SourceError, naming the lines, when a step fails. */
export async function buildStage(stage: StagePlan, start: StageStart, session: BuildSession): Promise<BuiltStage> {
  let image = baseImage(stage, start, session);
  let root = start.parent?.root;
  const implicitTimeNs = session.epochNs ?? start.parent?.implicitTimeNs ?? timeNsOf(image.config.created);
  let hasBaseline = false;
  const materialise = async (layering: Layering): Promise<StageRoot> => {
    root ??= await openRoot(image, stage, session);
    if (layering !== "step" && start.needsLayers && !hasBaseline) root.takeBaseline();
    hasBaseline = true;
    return root;
  };
  for (const [index, step] of stage.steps.entries()) {
    const log = session.services.log.with(stepFields(stage, index));
    const services = { ...session.services, log };
    services.signal.throwIfAborted();
    log.info(step.title);
    const layering = layeringOf(stage, index, start, session);
    const open = (): Promise<StageRoot> => materialise(layering);
    const place = { image, materialise: open, liveRoot: () => root, kept: start.kept, implicitTimeNs, layering };
    image = await atSource(session.source, step.range, () => runStep(step, place, { ...session, services }));
  }
  if (start.needsRoot) await materialise("step");
  return { image: withContainerConfig(image, stage.config, stage.author), root, implicitTimeNs };
}

function layeringOf(
  { steps }: StagePlan,
  index: number,
  { needsLayers }: StageStart,
  { layers }: BuildSession,
): Layering {
  if (!needsLayers) return "later";
  if (layers.isSingle !== true) return "step";
  return steps.slice(index + 1).some(({ kind }) => kind !== "metadata") ? "later" : "stage";
}

function baseImage(stage: StagePlan, { parent }: StageStart, session: BuildSession): Image {
  const { base } = stage;
  switch (base.kind) {
    case "scratch":
      return scratchImage(stage.platform);
    case "image":
      return session.imageOf(base.image);
    case "stage":
      if (parent === undefined) throw new TypeError(`stage ${stage.index} comes before stage ${base.stageIndex}`);
      return parent.image;
  }
}

/** A fresh root that holds what `image` holds. */
async function openRoot(image: Image, stage: StagePlan, session: BuildSession): Promise<StageRoot> {
  const root = new StageRoot(session.roots.open(stage.index), session.hasher, session.services.nowMs);
  await unpackImage(image, root.rootfs, root.known, session);
  return root;
}

/** Nanoseconds since 1970, in whole seconds as layers have them; 0 for what says no time. */
function timeNsOf(created: string | undefined): bigint {
  const timeMs = Date.parse(created ?? "");
  return Number.isFinite(timeMs) ? BigInt(Math.floor(timeMs / 1000)) * 1_000_000_000n : 0n;
}

function stepFields(stage: StagePlan, index: number): { readonly stage: string; readonly step: string } {
  return { stage: stage.name ?? String(stage.index), step: `${index + 1}/${stage.steps.length}` };
}
