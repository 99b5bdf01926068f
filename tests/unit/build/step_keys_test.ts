import { equal, notEqual, rejects, throws } from "node:assert/strict";
import { SourceError } from "../../../src/build/source_error.ts";
import { StepKeys } from "../../../src/build/step_keys.ts";
import type { BuildSession } from "../../../src/build/build_session.ts";
import type { CopySource } from "../../../src/plan/plan.ts";
import { Rootfs } from "../../../src/rootfs/rootfs.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { keyOf } from "../../support/cache_entries.ts";
import { copyStepOf, makeStageWorld, planOf, runStepOf, stageOf } from "../../support/stage_world.ts";

const FIRST: CopySource = { kind: "stage", stageIndex: 0 };
const COPY = copyStepOf("/a", "/a", { source: FIRST });

Deno.test("StepKeys.seed differs by how the session makes layers, and is the parent's key in a stage from another", async () => {
  await using world = await makeStageWorld();
  const plan = planOf(stageOf(0, []));
  const seed = (changes: Partial<BuildSession>): string =>
    new StepKeys(plan, { ...world.session, ...changes }).seed(plan.target, undefined);
  const seeds = [
    seed({}),
    seed({ layers: { compression: "zstd" } }),
    seed({ layers: { compression: "gzip", level: 1 } }),
    seed({ epochNs: 0n }),
    seed({ layers: { compression: "gzip", isReproducible: true }, createdMs: () => 0 }),
  ];
  equal(new Set(seeds).size, seeds.length);
  const child = stageOf(1, [], { base: FIRST });
  const keys = new StepKeys(plan, world.session);
  equal(keys.seed(child, keyOf("a")), keyOf("a"));
  throws(() => keys.seed(child, undefined), TypeError);
});

Deno.test("StepKeys.ahead knows a stage by its steps, and not by its number", async () => {
  await using world = await makeStageWorld();
  const key = (text: string): Promise<string> => {
    const plan = planOf(stageOf(0, [runStepOf("x", { argv: [text] })]), stageOf(1, [COPY]));
    return new StepKeys(plan, world.session).ahead(COPY, keyOf("a"));
  };
  equal(await key("x"), await key("x"));
  notEqual(await key("x"), await key("y"));
});

Deno.test("StepKeys.settled knows a stage by its files alone", async () => {
  await using world = await makeStageWorld();
  const root = `${world.session.work.path}/stage`;
  await Deno.mkdir(root);
  await Deno.writeTextFile(`${root}/a`, "1");
  const kept = new Map([[0, new Rootfs(rawPath(root), [])]]);
  const key = (text: string): Promise<string> => {
    const plan = planOf(stageOf(0, [runStepOf("x", { argv: [text] })]), stageOf(1, [COPY]));
    return new StepKeys(plan, world.session).settled(COPY, keyOf("a"), kept);
  };
  const before = await key("x");
  equal(await key("y"), before);
  await Deno.writeTextFile(`${root}/a`, "2");
  notEqual(await key("x"), before);
});

Deno.test("StepKeys blames the lines of a COPY whose source is missing", async () => {
  await using world = await makeStageWorld();
  const step = copyStepOf("missing", "/f", { range: { startLine: 7, endLine: 7 } });
  const keys = new StepKeys(planOf(stageOf(0, [step])), world.session);
  await rejects(keys.ahead(step, keyOf("a")), (error: unknown) => {
    return error instanceof SourceError && error.range.startLine === 7;
  });
});
