/**
 * One stage: its base, then step after step, each appending its layer or its history entry to the image. Layers that come
 * from the cache are unpacked only when a later step needs the files.
 */
import { makesLayer } from "../cache/cache_key.ts";
import { type Image, scratchImage } from "../image/image.ts";
import { withContainerConfig } from "../image/mutate.ts";
import type { StagePlan } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import { runStep } from "./run_step.ts";
import { atSource } from "./source_error.ts";
import type { Layering } from "./step_layer.ts";
import { StageRoot } from "./stage_root.ts";
import { type ChainState, StageCache, startOfStage } from "./stage_cache.ts";
import { unpackLayers } from "./unpack.ts";

/** A stage that is done. */
export interface BuiltStage {
  readonly image: Image;
  /** The live root with the stage's files; undefined when no step needed one or it is somebody else's now. */
  readonly root: StageRoot | undefined;
  /** See {@link StepPlace}: when the base image was made, so that the same steps make the same layers. */
  readonly implicitTimeNs: bigint;
  /** What the cache knows of the stage's end, for stages from it. */
  readonly chain?: ChainState | undefined;
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
  const parent = start.parent;
  const lazyRoot = new LazyRoot(stage, parent?.root, start.needsLayers, session);
  const implicitTimeNs = session.epochNs ?? parent?.implicitTimeNs ?? timeNsOf(image.config.created);
  const cached = stageCache(stage, start, session);
  for (const [index, step] of stage.steps.entries()) {
    const log = session.services.log.with(stepFields(stage, index));
    const services = { ...session.services, log };
    services.signal.throwIfAborted();
    log.info(step.title);
    const layering = layeringOf(stage, index, start, session);
    const below = image;
    const reused = makesLayer(step) ? await cached?.reuse(step, below, start.kept, log) : undefined;
    if (reused !== undefined) {
      image = reused;
      continue;
    }
    const materialise = (): Promise<StageRoot> => lazyRoot.filled(below, layering);
    const liveRoot = (): StageRoot | undefined => lazyRoot.upToDate(below);
    const place = { image, materialise, liveRoot, kept: start.kept, implicitTimeNs, layering };
    image = await atSource(session.source, step.range, () => runStep(step, place, { ...session, services }));
    lazyRoot.advance(below, image);
    if (makesLayer(step)) await cached?.keep(step, image, start.kept);
  }
  if (start.needsRoot) await lazyRoot.filled(image, "step");
  const chain = cached?.state;
  return { image: withContainerConfig(image, stage.config, stage.author), root: lazyRoot.root, implicitTimeNs, chain };
}

function stageCache(stage: StagePlan, { parent }: StageStart, session: BuildSession): StageCache | undefined {
  const tools = session.caching;
  return tools && new StageCache(tools, session, startOfStage(stage, parent?.chain, tools.keys));
}

/** The stage's root, which is opened, and given the layers that it lacks, when a step needs it. */
class LazyRoot {
  readonly #stage: StagePlan;
  readonly #needsLayers: boolean;
  readonly #session: BuildSession;
  #root: StageRoot | undefined;
  #hasBaseline = false;

  constructor(stage: StagePlan, root: StageRoot | undefined, needsLayers: boolean, session: BuildSession) {
    this.#stage = stage;
    this.#root = root;
    this.#needsLayers = needsLayers;
    this.#session = session;
  }

  get root(): StageRoot | undefined {
    return this.#root;
  }

  /** The root with all that `image` holds. */
  async filled(image: Image, layering: Layering): Promise<StageRoot> {
    const { roots, hasher, services } = this.#session;
    const root = this.#root ??= new StageRoot(roots.open(this.#stage.index), hasher, services.nowMs);
    const missing = image.layers.slice(root.layersApplied);
    if (missing.length > 0) root.markWritten();
    await unpackLayers(missing, root.rootfs, root.known, this.#session, () => root.layersApplied++);
    if (layering !== "step" && this.#needsLayers && !this.#hasBaseline) root.takeBaseline();
    this.#hasBaseline = true;
    return root;
  }

  /** The root if it holds all that `image` holds. */
  upToDate(image: Image): StageRoot | undefined {
    return this.#root?.layersApplied === image.layers.length ? this.#root : undefined;
  }

  /** Says that a step that made `after` of `before` has made the same change to the root, unless that lagged behind. */
  advance(before: Image, after: Image): void {
    const root = this.upToDate(before);
    if (root !== undefined) root.layersApplied = after.layers.length;
  }
}

function layeringOf(
  { steps }: StagePlan,
  index: number,
  { needsLayers }: StageStart,
  { layers, caching }: BuildSession,
): Layering {
  const isCached = caching !== undefined && steps.some((step) => makesLayer(step) && caching.cache.covers(step));
  if (!needsLayers && !isCached) return "later";
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

/** Nanoseconds since 1970, in whole seconds as layers have them; 0 for what says no time. */
function timeNsOf(created: string | undefined): bigint {
  const timeMs = Date.parse(created ?? "");
  return Number.isFinite(timeMs) ? BigInt(Math.floor(timeMs / 1000)) * 1_000_000_000n : 0n;
}

function stepFields(stage: StagePlan, index: number): { readonly stage: string; readonly step: string } {
  return { stage: stage.name ?? String(stage.index), step: `${index + 1}/${stage.steps.length}` };
}
