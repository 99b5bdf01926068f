/** Builds of plans with a cache in a temporary folder, with commands that are functions. */
import { OciLayout } from "../../src/blob/oci_layout.ts";
import { buildStages } from "../../src/build/build_stages.ts";
import { LayerCache } from "../../src/build/layer_cache.ts";
import type { CacheTools } from "../../src/build/stage_cache.ts";
import { StepKeys } from "../../src/build/step_keys.ts";
import type { CacheStore } from "../../src/cache/cache_store.ts";
import type { Image } from "../../src/image/image.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { cacheOver } from "./cache_entries.ts";
import { type FakeCommand, makeStageWorld, type StageWorld } from "./stage_world.ts";
import { makeTempDir } from "./temp_dir.ts";

const EVERYTHING = { runLayers: true, copyLayers: true };

/** What one build did. */
export interface CachedBuild {
  readonly image: Image;
  /** The commands that ran. */
  readonly ran: readonly string[];
  /** The layers that were unpacked or read, and stages that were opened. */
  readonly openedStages: readonly string[];
}

/** A cache that outlives builds. Disposing removes it. */
export interface CacheWorld extends AsyncDisposable {
  readonly layout: OciLayout;
  readonly store: CacheStore;
  /** Files of the context, by name. */
  readonly files: Record<string, string>;
  build(plan: Plan, options?: Partial<typeof EVERYTHING> & { readonly store?: CacheStore }): Promise<CachedBuild>;
}

/** Makes an empty cache; `command` stands for every RUN. */
export async function makeCacheWorld(command: FakeCommand): Promise<CacheWorld> {
  const folder = await makeTempDir();
  const layout = await OciLayout.open(folder.path);
  const store = cacheOver(layout, undefined, true);
  const files: Record<string, string> = {};
  return {
    layout,
    store,
    files,
    async build(plan, options = {}): Promise<CachedBuild> {
      await using world = await makeStageWorld(command);
      for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${world.contextPath}/${name}`, text);
      const caching = cachingOf(plan, world, options.store ?? store, options);
      const image = await buildStages(plan, { ...world.session, caching });
      await caching.cache.settle();
      const openedStages = (await Array.fromAsync(Deno.readDir(world.session.work.stages))).map(({ name }) => name);
      return { image, ran: world.runs.map(({ argv }) => argv.join(" ")), openedStages: openedStages.sort() };
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** The tools of a build of `plan` with `store`. */
export function cachingOf(
  plan: Plan,
  { session }: Pick<StageWorld, "session">,
  store: CacheStore,
  coverage: Partial<typeof EVERYTHING> = {},
): CacheTools {
  const cache = new LayerCache(store, { ...EVERYTHING, ...coverage }, session.services);
  return { cache, keys: new StepKeys(plan, session) };
}
