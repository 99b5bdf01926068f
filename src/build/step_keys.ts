/** The cache keys of a plan's steps: the plan and the inputs put into `nextKey`, which alone makes keys. */
import { type CacheKey, type LayerMaking, type LayerStep, makesLayer, nextKey, seedKey } from "../cache/cache_key.ts";
import type { Plan, StagePlan } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import { atSource } from "./source_error.ts";
import { stageSources, StepInputs } from "./step_inputs.ts";

/** Keys for one build. All methods throw SourceErrors for sources that are not there. */
export class StepKeys {
  readonly #plan: Plan;
  readonly #session: BuildSession;
  readonly #inputs: StepInputs;
  readonly #stages = new Map<number, Promise<CacheKey>>();

  constructor(plan: Plan, session: BuildSession) {
    this.#plan = plan;
    this.#session = session;
    this.#inputs = new StepInputs(session);
  }

  /** The key that a stage starts with, which for a stage from another one is `parent`. */
  seed(stage: StagePlan, parent: CacheKey | undefined): CacheKey {
    const { base, platform } = stage;
    const making = { ...this.#making(), platform };
    switch (base.kind) {
      case "scratch":
        return seedKey(base, making);
      case "image":
        return seedKey({ kind: "image", digest: base.image.digest }, making);
      case "stage":
        if (parent === undefined) throw new TypeError(`stage ${stage.index} has no parent's key`);
        return parent;
    }
  }

  /** The key of `step` behind `parent`, for which stages count by their own keys: known before any of them is built. */
  ahead(step: LayerStep, parent: CacheKey): Promise<CacheKey> {
    return this.#key(
      step,
      parent,
      (inputs) => inputs.of(step, async (stageIndex) => ({ kind: "stage", key: await this.#stage(stageIndex) })),
    );
  }

  /** The key of `step` behind `parent`, for which stages count by the files that the step takes of them. */
  settled(step: LayerStep, parent: CacheKey, kept: ReadonlyMap<number, Rootfs>): Promise<CacheKey> {
    if (stageSources(step).length === 0) return this.ahead(step, parent);
    return this.#key(
      step,
      parent,
      (inputs) => inputs.of(step, (stageIndex, selection) => inputs.stageFiles(stageIndex, selection, kept)),
    );
  }

  #key(
    step: LayerStep,
    parent: CacheKey,
    inputsOf: (inputs: StepInputs) => ReturnType<StepInputs["of"]>,
  ): Promise<CacheKey> {
    const { source } = this.#session;
    return atSource(source, step.range, async () => nextKey(parent, step, await inputsOf(this.#inputs)));
  }

  /** The key after the last step of a stage. */
  #stage(index: number): Promise<CacheKey> {
    const known = this.#stages.get(index);
    if (known !== undefined) return known;
    const key = this.#stageKey(index);
    this.#stages.set(index, key);
    return key;
  }

  async #stageKey(index: number): Promise<CacheKey> {
    const stage = this.#plan.stages.find((candidate) => candidate.index === index);
    if (stage === undefined) throw new TypeError(`stage ${index} is not in the plan`);
    const parent = stage.base.kind === "stage" ? await this.#stage(stage.base.stageIndex) : undefined;
    let key = this.seed(stage, parent);
    for (const step of stage.steps) {
      if (makesLayer(step)) key = await this.ahead(step, key);
    }
    return key;
  }

  #making(): Omit<LayerMaking, "platform"> {
    const { layers, epochNs, createdMs } = this.#session;
    return {
      compression: layers.compression,
      level: layers.level,
      epochSeconds: epochNs === undefined ? undefined : Number(epochNs / 1_000_000_000n),
      latestSeconds: layers.isReproducible === true ? Math.floor(createdMs() / 1000) : undefined,
    };
  }
}
