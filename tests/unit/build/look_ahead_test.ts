/** Which stages are touched. */
import { deepEqual } from "node:assert/strict";
import { allStages, lookAhead, type StageNeeds } from "../../../src/build/look_ahead.ts";
import type { CacheStore } from "../../../src/cache/cache_store.ts";
import type { CopySource, Plan, Step } from "../../../src/plan/plan.ts";
import { entryOf } from "../../support/cache_entries.ts";
import { cachingOf } from "../../support/cache_world.ts";
import { copyStepOf, makeStageWorld, planOf, runStepOf, stageOf } from "../../support/stage_world.ts";

const from = (stageIndex: number): CopySource => ({ kind: "stage", stageIndex });
const copy = (stageIndex: number): Step => copyStepOf("/a", "/a", { source: from(stageIndex) });
const run = (text: string): Step => runStepOf(text, { argv: [text] });

function describe({ stages, roots }: StageNeeds): readonly (readonly number[])[] {
  return [[...stages].sort(), [...roots].sort()];
}

/** What is needed when the cache has an entry, on no RUN, for all steps but those at these places of the asking. */
async function needs(plan: Plan, missing: readonly number[], coverage = {}): Promise<readonly (readonly number[])[]> {
  await using world = await makeStageWorld();
  let asked = 0;
  const lookup: CacheStore["lookup"] = (key) =>
    Promise.resolve(missing.includes(asked++) ? undefined : { ...entryOf(key, "x"), origin: "" });
  return describe(await lookAhead(plan, cachingOf(plan, world, { name: "", lookup, store: async () => {} }, coverage)));
}

const TWO = planOf(stageOf(0, [run("a")]), stageOf(1, [copy(0), run("b")]));

Deno.test("allStages are all stages, and roots are those that files are taken of", () => {
  const mounted = runStepOf("c", {
    mounts: [{ kind: "bind", target: "/m", from: from(1), source: "/", isReadOnly: true }],
  });
  const plan = planOf(stageOf(0, [run("a")]), stageOf(1, []), stageOf(2, [copy(0), mounted]));
  deepEqual(describe(allStages(plan)), [[0, 1, 2], [0, 1]]);
});

const CASES:
  readonly (readonly [name: string, plan: Plan, missing: readonly number[], stages: number[], roots: number[]])[] = [
    ["all hit", TWO, [], [1], []],
    ["the copy misses", TWO, [0], [0, 1], [0]],
    ["a step behind the copy misses", TWO, [1], [1], []],
    ["a RUN before the copy misses", planOf(stageOf(0, []), stageOf(1, [run("a"), copy(0)])), [0], [0, 1], [0]],
    [
      "a parent's copy misses",
      planOf(stageOf(0, []), stageOf(1, [copy(0)]), stageOf(2, [run("a")], { base: { kind: "stage", stageIndex: 1 } })),
      [0],
      [0, 1, 2],
      [0],
    ],
    [
      "a copy of a copy misses",
      planOf(stageOf(0, []), stageOf(1, [copy(0)]), stageOf(2, [copy(1)])),
      [0, 1],
      [0, 1, 2],
      [0, 1],
    ],
  ];

for (const [name, plan, missing, stages, roots] of CASES) {
  Deno.test(`lookAhead needs stages ${stages} and files of ${roots.join() || "none"} when ${name}`, async () => {
    deepEqual(await needs(plan, missing), [stages, roots]);
  });
}

Deno.test("lookAhead needs the files of a stage when COPY is not cached", async () => {
  deepEqual(await needs(TWO, [], { copyLayers: false }), [[0, 1], [0]]);
});
