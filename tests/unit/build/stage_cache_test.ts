/** Layers reused from step to step, and what makes a step run again. */
import { deepEqual, equal } from "node:assert/strict";
import { afterEntry, findAhead, StageCache, startOfStage } from "../../../src/build/stage_cache.ts";
import { nextLineage } from "../../../src/cache/cache_key.ts";
import type { CacheStore } from "../../../src/cache/cache_store.ts";
import { encodeImage } from "../../../src/image/image.ts";
import type { CopySource } from "../../../src/plan/plan.ts";
import { entryOf, keyOf } from "../../support/cache_entries.ts";
import { cachingOf, makeCacheWorld } from "../../support/cache_world.ts";
import { copyStepOf, type FakeCommand, makeStageWorld, planOf, runStepOf, stageOf } from "../../support/stage_world.ts";

const FIRST: CopySource = { kind: "stage", stageIndex: 0 };
const ON_FIRST = { base: { kind: "stage", stageIndex: 0 } } as const;

/** "write NAME TEXT" writes a file; "random NAME" writes another text each time. */
function commands(): FakeCommand {
  let count = 0;
  return (root, { argv: [verb, name, text = ""] }) => {
    Deno.writeTextFileSync(`${root}/${name}`, verb === "random" ? String(++count) : text);
    return 0;
  };
}

const run = (...argv: string[]): ReturnType<typeof runStepOf> => runStepOf(`RUN ${argv.join(" ")}`, { argv });

Deno.test("StageCache makes the same image of a second build, and runs and opens nothing", async () => {
  await using world = await makeCacheWorld(commands());
  world.files.f = "f";
  const plan = planOf(stageOf(0, [run("write", "a", "1"), copyStepOf("f", "/f"), run("random", "b")]));
  const cold = await world.build(plan);
  const warm = await world.build(plan);
  equal(encodeImage(warm.image).manifestDescriptor.digest, encodeImage(cold.image).manifestDescriptor.digest);
  deepEqual([cold.ran, warm.ran], [["write a 1", "random b"], []]);
  deepEqual([cold.openedStages, warm.openedStages], [["0"], []]);
});

Deno.test("StageCache runs again what a changed file can have changed, and nothing before it", async () => {
  await using world = await makeCacheWorld(commands());
  world.files.f = "f";
  const plan = planOf(stageOf(0, [run("write", "a", "1"), copyStepOf("f", "/f"), run("write", "b", "2")]));
  const cold = await world.build(plan);
  world.files.f = "g";
  const warm = await world.build(plan);
  deepEqual(warm.ran, ["write b 2"]);
  equal(warm.image.layers[0]?.diffId, cold.image.layers[0]?.diffId);
});

Deno.test("StageCache reuses RUN behind a COPY that is not cached and whose file has another time", async () => {
  await using world = await makeCacheWorld(commands());
  world.files.f = "f";
  const plan = planOf(stageOf(0, [copyStepOf("f", "/f"), run("write", "b", "2")]));
  await world.build(plan, { copyLayers: false });
  deepEqual((await world.build(plan, { copyLayers: false })).ran, []);
});

Deno.test("StageCache uses no layer that lies on another result of an earlier RUN", async () => {
  await using world = await makeCacheWorld(commands());
  const steps = [run("random", "a"), run("write", "b", "2")];
  await world.build(planOf(stageOf(0, steps)));
  let firstKey: string | undefined;
  const lookup: CacheStore["lookup"] = (key, signal) => {
    firstKey ??= key;
    return key === firstKey ? Promise.resolve(undefined) : world.store.lookup(key, signal);
  };
  const forgetful: CacheStore = { name: "", lookup, store: () => Promise.resolve() };
  const again = await world.build(planOf(stageOf(0, steps)), { store: forgetful });
  deepEqual(again.ran, ["random a", "write b 2"]);
});

Deno.test("StageCache skips a stage when all that is copied from it is cached", async () => {
  await using world = await makeCacheWorld(commands());
  const plan = planOf(
    stageOf(0, [run("write", "a", "1")]),
    stageOf(1, [copyStepOf("/a", "/a", { source: FIRST }), run("write", "b", "2")]),
  );
  const cold = await world.build(plan);
  const warm = await world.build(plan);
  deepEqual([warm.ran, warm.openedStages], [[], []]);
  deepEqual(warm.image.config, cold.image.config);
});

Deno.test("StageCache goes on from the files when another stage made the same ones", async () => {
  await using world = await makeCacheWorld(commands());
  const plan = (verb: string): ReturnType<typeof planOf> =>
    planOf(
      stageOf(0, [run("write", "a", "1"), run("write", "other", verb)]),
      stageOf(1, [copyStepOf("/a", "/a", { source: FIRST }), run("write", "b", "2")]),
    );
  await world.build(plan("x"));
  deepEqual((await world.build(plan("y"))).ran, ["write other y"]);
  deepEqual((await world.build(plan("y"))).ran, []);
});

Deno.test("StageCache goes on from a parent stage's key", async () => {
  await using world = await makeCacheWorld(commands());
  const plan = (text: string): ReturnType<typeof planOf> =>
    planOf(stageOf(0, [run("write", "a", text)]), stageOf(1, [run("write", "b", "2")], ON_FIRST));
  await world.build(plan("1"));
  deepEqual((await world.build(plan("1"))).ran, []);
  deepEqual((await world.build(plan("2"))).ran, ["write a 2", "write b 2"]);
});

Deno.test("StageCache unpacks cached layers for the first step that is not cached", async () => {
  await using world = await makeCacheWorld((root, { argv: [name = "", needs] }) => {
    if (needs !== undefined && Deno.readTextFileSync(`${root}/${needs}`) !== "x") return 1;
    Deno.writeTextFileSync(`${root}/${name}`, "x");
    return 0;
  });
  await world.build(planOf(stageOf(0, [run("a"), run("b", "a")])));
  const more = await world.build(planOf(stageOf(0, [run("a"), run("b", "a"), run("c", "b")])));
  deepEqual([more.ran, more.image.layers.length], [["c b"], 3]);
});

Deno.test("StageCache.state starts at the seed, and findAhead asks only for what is cached", async () => {
  await using world = await makeStageWorld();
  const stage = stageOf(0, [run("write", "a")]);
  const lookup = (): never => {
    throw new TypeError("not to be asked");
  };
  const store = { name: "", lookup, store: () => Promise.resolve() };
  const tools = cachingOf(planOf(stage), world, store, { runLayers: false });
  const state = startOfStage(stage, undefined, tools.keys);
  deepEqual(new StageCache(tools, world.session, state).state, state);
  equal(await findAhead(run("write", "a"), state, tools), undefined);
});

Deno.test("afterEntry goes on from the result's key, and RUN begins a new lineage", async () => {
  await using world = await makeStageWorld();
  const stage = stageOf(0, []);
  const store: CacheStore = { name: "", lookup: () => Promise.resolve(undefined), store: () => Promise.resolve() };
  const state = startOfStage(stage, undefined, cachingOf(planOf(stage), world, store).keys);
  const entry = { ...entryOf(keyOf("a"), "x"), resultKey: keyOf("b") };
  deepEqual(afterEntry(copyStepOf("f", "/f"), entry, state), { key: keyOf("b"), lineage: state.lineage });
  equal(afterEntry(runStepOf(), entry, state).lineage, nextLineage(state.lineage, entry.diffId));
});
