/** One stage: its base, then step after step, each appending its layer or its history entry to the image. */
import { extractLayer } from "../rootfs/extract_layer.ts";
import type { Image } from "../image/image.ts";
import { scratchImage } from "../image/image.ts";
import { withContainerConfig } from "../image/mutate.ts";
import { openUncompressed } from "../layer/layer.ts";
import type { StagePlan, Step } from "../plan/plan.ts";
import type { BuildSession } from "./build_session.ts";
import { runStep } from "./run_step.ts";
import { StageRoot } from "./stage_root.ts";
import { StepError } from "./step_error.ts";
import { isBuilderError } from "../errors.ts";

/** A stage that is done. */
export interface BuiltStage {
  readonly image: Image;
  /** The live root with the stage's files; undefined when no step needed one. */
  readonly root: StageRoot | undefined;
}

/** What a stage is built from. */
export interface StageStart {
  /** The parent stage's result, for `FROM <stage>`. */
  readonly parent: BuiltStage | undefined;
  /** Whether the parent's root may be worked on further: nobody else needs its files. */
  readonly takesRoot: boolean;
  /** Whether other stages copy files from this one, so that it needs a root even without steps. */
  readonly needsRoot: boolean;
}

/** Builds the stage. Throws StepError, naming the instruction, when a step fails. */
export async function buildStage(stage: StagePlan, start: StageStart, session: BuildSession): Promise<BuiltStage> {
  let image = baseImage(stage, start, session);
  let root = start.takesRoot ? start.parent?.root : undefined;
  const materialise = async (): Promise<StageRoot> => root ??= await unpack(image, stage, session);
  for (const [index, step] of stage.steps.entries()) {
    const services = { ...session.services, log: session.services.log.with(stepFields(stage, index)) };
    services.signal.throwIfAborted();
    services.log.info(step.title);
    image = await inStep(step, () => runStep(step, image, materialise, { ...session, services }));
  }
  if (start.needsRoot) await materialise();
  return { image: withContainerConfig(image, stage.config, stage.author), root };
}

function baseImage(stage: StagePlan, { parent }: StageStart, session: BuildSession): Image {
  switch (stage.base.kind) {
    case "scratch":
      return scratchImage(stage.platform);
    case "image":
      return session.imageOf(stage.base.image);
    case "stage":
      if (parent === undefined) {
        throw new TypeError(`stage ${stage.index} is built before stage ${stage.base.stageIndex}`);
      }
      return parent.image;
  }
}

/** A fresh root that holds what `image` holds. */
async function unpack(image: Image, stage: StagePlan, session: BuildSession): Promise<StageRoot> {
  const { hasher, services } = session;
  const root = new StageRoot(session.roots.open(stage.index), hasher, services.nowMs);
  for (const layer of image.layers) {
    services.signal.throwIfAborted();
    services.log.debug(`Unpacking ${layer.descriptor.digest}`);
    const tar = await openUncompressed(layer, services.signal);
    await extractLayer(tar, root.rootfs, { hasher, known: root.known, log: services.log, signal: services.signal });
  }
  return root;
}

function stepFields(stage: StagePlan, index: number): { readonly stage: string; readonly step: string } {
  return { stage: stage.name ?? String(stage.index), step: `${index + 1}/${stage.steps.length}` };
}

async function inStep<T>(step: Step, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error: unknown) {
    if (isBuilderError(error) && error.code !== "cancelled") throw new StepError(step, error);
    throw error;
  }
}
