import { deepEqual, equal, rejects } from "node:assert/strict";
import { buildStage } from "../../../src/build/build_stage.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { exitCode } from "../../../src/cli/exit_code.ts";
import { copyStepOf, makeStageWorld, NOWHERE, runStepOf, stageOf } from "../../support/stage_world.ts";

const START = { parent: undefined, needsRoot: false, kept: new Map() };

Deno.test("buildStage makes a layer for each step that is not metadata, and history for all", async () => {
  await using world = await makeStageWorld((root) => {
    Deno.writeTextFileSync(`${root}/made`, "x");
    return 0;
  });
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  const label = { kind: "metadata", range: NOWHERE, title: "LABEL a=b", history: "LABEL a=b" } as const;
  const stage = stageOf(0, [label, copyStepOf("f", "/f"), runStepOf()], {
    config: { Labels: { a: "b" } },
    author: "me",
  });
  const { image } = await buildStage(stage, START, world.session);
  equal(image.layers.length, 2);
  deepEqual(image.config.history.map((entry) => [entry.created_by, entry.empty_layer ?? false]), [
    ["LABEL a=b", true],
    ["COPY f /f", false],
    ["RUN x", false],
  ]);
  deepEqual(image.config.config, { Labels: { a: "b" } });
  equal(image.config.author, "me");
  equal(image.config.rootfs.diff_ids.length, 2);
});

Deno.test("buildStage unpacks nothing when no step needs files", async () => {
  await using world = await makeStageWorld();
  const { root, image } = await buildStage(stageOf(0, []), START, world.session);
  equal(root, undefined);
  equal(image.layers.length, 0);
});

Deno.test("buildStage opens a root when others copy from the stage", async () => {
  await using world = await makeStageWorld();
  const { root } = await buildStage(stageOf(0, []), { ...START, needsRoot: true }, world.session);
  equal(root === undefined, false);
});

Deno.test("buildStage names the lines and passes on the status when a command fails", async () => {
  await using world = await makeStageWorld(() => 42);
  await rejects(buildStage(stageOf(0, [runStepOf()]), START, world.session), (error: unknown) => {
    return error instanceof SourceError && error.range.startLine === 1 && exitCode(error) === 42;
  });
});

Deno.test("buildStage works on in the parent's root when the parent still has it", async () => {
  await using world = await makeStageWorld((root) => Deno.readTextFileSync(`${root}/f`) === "f" ? 0 : 1);
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  const parent = await buildStage(stageOf(0, [copyStepOf("f", "/f")]), START, world.session);
  const child = stageOf(1, [runStepOf()], { base: { kind: "stage", stageIndex: 0 } });
  const { image, root } = await buildStage(child, { ...START, parent }, world.session);
  equal(image.layers.length, 2);
  equal(root, parent.root);
});
