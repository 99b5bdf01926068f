/** One stage and the cache: from step to step the key and the lineage, hits put on the image, misses kept. */
import { type CacheKey, firstLineage, type LayerStep, type Lineage, nextLineage } from "../cache/cache_key.ts";
import type { CacheEntry, FoundEntry } from "../cache/cache_store.ts";
import type { Image } from "../image/image.ts";
import { appendLayer } from "../image/mutate.ts";
import type { Logger } from "../log/logger.ts";
import type { StagePlan } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import type { LayerCache } from "./layer_cache.ts";
import { stageSources } from "./step_inputs.ts";
import type { StepKeys } from "./step_keys.ts";

/** What the cache knows of a stage between two steps. */
export interface ChainState {
  readonly key: CacheKey;
  readonly lineage: Lineage;
}

/** What a build with a cache has besides. */
export interface CacheTools {
  readonly cache: LayerCache;
  readonly keys: StepKeys;
}

/** Where a stage starts; `parent` is the end of the stage it is from. */
export function startOfStage(stage: StagePlan, parent: ChainState | undefined, keys: StepKeys): ChainState {
  return { key: keys.seed(stage, parent?.key), lineage: parent?.lineage ?? firstLineage() };
}

/** The state after a step that is known by `entry`. */
export function afterEntry(step: LayerStep, entry: CacheEntry, { lineage }: ChainState): ChainState {
  return { key: entry.resultKey, lineage: step.kind === "run" ? nextLineage(lineage, entry.diffId) : lineage };
}

/** The entry with which `step` need not be carried out, as far as can be told before the stages it needs are built. */
export async function findAhead(
  step: LayerStep,
  state: ChainState,
  { cache, keys }: CacheTools,
): Promise<FoundEntry | undefined> {
  if (!cache.covers(step)) return undefined;
  const key = await keys.ahead(step, state.key);
  const entry = await cache.find(key, state.lineage);
  const isOwn = entry?.resultKey === key || stageSources(step).length > 0;
  return isOwn ? entry : undefined;
}

/** Walks with the build through one stage. */
export class StageCache {
  readonly #tools: CacheTools;
  readonly #session: BuildSession;
  #state: ChainState;

  constructor(tools: CacheTools, session: BuildSession, state: ChainState) {
    this.#tools = tools;
    this.#session = session;
    this.#state = state;
  }

  /** Where the walk is. */
  get state(): ChainState {
    return this.#state;
  }

  /** The image with the cached layer of `step`; undefined when there is none and the step is to be carried out. */
  async reuse(
    step: LayerStep,
    image: Image,
    kept: ReadonlyMap<number, Rootfs>,
    log: Logger,
  ): Promise<Image | undefined> {
    const entry = await findAhead(step, this.#state, this.#tools) ?? await this.#findByFiles(step, kept);
    if (entry === undefined) return undefined;
    log.info("Cached", { from: entry.origin, key: entry.key, sizeBytes: entry.descriptor.size });
    this.#state = afterEntry(step, entry, this.#state);
    const { layers, work, createdMs } = this.#session;
    const layer = this.#tools.cache.layerOf(entry, image.format, work.layout);
    const madeMs = layers.isReproducible === true ? createdMs() : entry.createdMs;
    return appendLayer(image, layer, { history: step.history, createdMs: madeMs });
  }

  /** Keeps the layer on top of `image`, which `step` has made. */
  async keep(step: LayerStep, image: Image, kept: ReadonlyMap<number, Rootfs>): Promise<void> {
    const layer = image.layers.at(-1);
    const entry = image.config.history.at(-1);
    if (layer === undefined || entry === undefined) throw new TypeError("the step has made no layer");
    const { cache, keys } = this.#tools;
    const key = await keys.settled(step, this.#state.key, kept);
    const made: CacheEntry = {
      ...layer,
      key,
      resultKey: key,
      lineage: this.#state.lineage,
      createdMs: Date.parse(entry.created ?? "") || 0,
      createdBy: step.history,
    };
    if (cache.covers(step)) {
      cache.keep(made);
      await this.#keepAlias(step, made);
    }
    this.#state = afterEntry(step, made, this.#state);
  }

  /** With the files of the stages at hand: the same files may have come out of stages that are others now. */
  async #findByFiles(step: LayerStep, kept: ReadonlyMap<number, Rootfs>): Promise<FoundEntry | undefined> {
    const { cache, keys } = this.#tools;
    if (!cache.covers(step) || stageSources(step).length === 0) return undefined;
    const key = await keys.settled(step, this.#state.key, kept);
    const entry = await cache.find(key, this.#state.lineage);
    if (entry === undefined || entry.resultKey !== key) return undefined;
    await this.#keepAlias(step, entry);
    return entry;
  }

  /** So that the next build need not build the stages to find it. */
  async #keepAlias(step: LayerStep, entry: CacheEntry): Promise<void> {
    if (stageSources(step).length === 0) return;
    const { cache, keys } = this.#tools;
    cache.keep({ ...entry, key: await keys.ahead(step, this.#state.key) });
  }
}
