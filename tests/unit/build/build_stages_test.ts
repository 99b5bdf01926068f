import { deepEqual, equal } from "node:assert/strict";
import { buildStages } from "../../../src/build/build_stages.ts";
import type { CopySource } from "../../../src/plan/plan.ts";
import { copyStepOf, makeStageWorld, planOf, runStepOf, stageOf } from "../../support/stage_world.ts";

const FIRST: CopySource = { kind: "stage", stageIndex: 0 };
const ON_FIRST = { base: { kind: "stage", stageIndex: 0 } } as const;

Deno.test("buildStages copies from a finished stage and gives the target's image", async () => {
  await using world = await makeStageWorld((root) => {
    Deno.writeTextFileSync(`${root}/out`, "made");
    return 0;
  });
  const plan = planOf(stageOf(0, [runStepOf()]), stageOf(1, [copyStepOf("/out", "/in", { source: FIRST })]));
  const image = await buildStages(plan, world.session);
  equal(image.layers.length, 1);
  equal(Deno.readTextFileSync(`${world.session.work.stages}/0/out`), "made");
});

Deno.test("buildStages hands a root on to a child stage and drops it after that", async () => {
  await using world = await makeStageWorld((root, spec) => {
    Deno.writeTextFileSync(`${root}/${spec.argv[0]}`, "");
    return 0;
  });
  const plan = planOf(stageOf(0, [runStepOf()]), stageOf(1, [runStepOf()], ON_FIRST), stageOf(2, [runStepOf()]));
  await buildStages(plan, world.session);
  deepEqual(world.runs.map((run) => run.root.slice(-2)), ["/0", "/0", "/2"]);
  deepEqual([...Deno.readDirSync(`${world.session.work.stages}/0`)], []);
});

Deno.test("buildStages unpacks a kept stage's layers again when a child needs its own root", async () => {
  await using world = await makeStageWorld((root) => {
    const count = [...Deno.readDirSync(root)].length;
    Deno.writeTextFileSync(`${root}/f${count}`, "");
    return 0;
  });
  const plan = planOf(
    stageOf(0, [runStepOf()]),
    stageOf(1, [runStepOf(), copyStepOf("/f0", "/copied", { source: FIRST })], ON_FIRST),
  );
  const image = await buildStages(plan, world.session);
  equal(image.layers.length, 3);
  deepEqual([...Deno.readDirSync(`${world.session.work.stages}/0`)].map((entry) => entry.name), ["f0"]);
});

Deno.test("buildStages gives a second child of a stage the files of that stage alone", async () => {
  const seen: string[][] = [];
  await using world = await makeStageWorld((root, { argv }) => {
    seen.push([...Deno.readDirSync(root)].map(({ name }) => name).sort());
    Deno.writeTextFileSync(`${root}/${argv[0]}`, "");
    return 0;
  });
  const run = (name: string): ReturnType<typeof runStepOf> => runStepOf(name, { argv: [name] });
  const plan = planOf(stageOf(0, [run("a")]), stageOf(1, [run("b")], ON_FIRST), stageOf(2, [run("c")], ON_FIRST));
  await buildStages(plan, world.session);
  deepEqual(seen, [[], ["a"], ["a"]]);
});
