/** Which stages a build must touch at all: asked of the cache, for all steps at once where that goes, before anything is built. */
import { makesLayer } from "../cache/cache_key.ts";
import type { Plan, StagePlan } from "../plan/plan.ts";
import { afterEntry, type CacheTools, type ChainState, findAhead, startOfStage } from "./stage_cache.ts";
import { stageSources } from "./step_inputs.ts";

/** Stages by index. */
export interface StageNeeds {
  /** Those that are built, or whose image is put together from the cache. */
  readonly stages: ReadonlySet<number>;
  /** Those of which others take files. */
  readonly roots: ReadonlySet<number>;
}

/** What a build without a cache needs: everything. */
export function allStages(plan: Plan): StageNeeds {
  const roots = plan.stages.flatMap((stage) => stage.steps.flatMap(stageSources));
  return { stages: new Set(plan.stages.map(({ index }) => index)), roots: new Set(roots) };
}

/** What is needed beside the cache. Where that cannot be told yet, a stage counts as needed. */
export async function lookAhead(plan: Plan, tools: CacheTools): Promise<StageNeeds> {
  const view = new Outlook(plan, tools);
  await view.need(plan.target.index);
  return view;
}

class Outlook implements StageNeeds {
  readonly stages: Set<number> = new Set();
  readonly roots: Set<number> = new Set();
  readonly #plan: Plan;
  readonly #tools: CacheTools;
  readonly #ends = new Map<number, Promise<ChainState | undefined>>();

  constructor(plan: Plan, tools: CacheTools) {
    this.#plan = plan;
    this.#tools = tools;
  }

  /** The state at the end of the stage; undefined where only building it tells. */
  need(index: number): Promise<ChainState | undefined> {
    const known = this.#ends.get(index);
    if (known !== undefined) return known;
    const stage = this.#plan.stages.find((candidate) => candidate.index === index);
    if (stage === undefined) throw new TypeError(`stage ${index} is not in the plan`);
    this.stages.add(index);
    const end = this.#walk(stage);
    this.#ends.set(index, end);
    return end;
  }

  async #walk(stage: StagePlan): Promise<ChainState | undefined> {
    const { base } = stage;
    const parent = base.kind === "stage" ? await this.need(base.stageIndex) : undefined;
    const { keys } = this.#tools;
    const isKnown = base.kind !== "stage" || parent !== undefined;
    let state = isKnown ? startOfStage(stage, parent, keys) : undefined;
    let isAsked = false;
    for (const [index, step] of stage.steps.entries()) {
      if (!makesLayer(step)) continue;
      if (state !== undefined && !isAsked) await this.#ask(stage, index, state);
      isAsked = stageSources(step).length === 0;
      const entry = state && await findAhead(step, state, this.#tools);
      if (state !== undefined && entry !== undefined) {
        state = afterEntry(step, entry, state);
        continue;
      }
      for (const source of stageSources(step)) {
        this.roots.add(source);
        await this.need(source);
      }
      const isOpen = step.kind === "run" || stageSources(step).length > 0; // what it makes decides over the next key
      state = state === undefined || isOpen ? undefined : { ...state, key: await keys.ahead(step, state.key) };
    }
    return state;
  }

  /** Asks for all steps at once whose keys are known: up to the first that takes files of a stage. */
  async #ask(stage: StagePlan, first: number, { key: start }: ChainState): Promise<void> {
    const { keys, cache } = this.#tools;
    let key = start;
    for (const step of stage.steps.slice(first)) {
      if (!makesLayer(step)) continue;
      key = await keys.ahead(step, key);
      if (cache.covers(step)) cache.prefetch(key);
      if (stageSources(step).length > 0) return;
    }
  }
}
