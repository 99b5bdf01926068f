import { deepEqual, equal, rejects } from "node:assert/strict";
import { buildStage } from "../../../src/build/build_stage.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { exitCode } from "../../../src/cli/exit_code.ts";
import { copyStepOf, makeStageWorld, NOWHERE, runStepOf, stageOf } from "../../support/stage_world.ts";
import { readMembers } from "../../support/tar_members.ts";

const START = { parent: undefined, needsRoot: false, kept: new Map(), needsLayers: true };

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

Deno.test("buildStage makes one layer of what is left of all changes when layers are single", async () => {
  let runs = 0;
  await using world = await makeStageWorld((root) => {
    Deno.writeTextFileSync(`${root}/made${++runs}`, "x");
    if (runs === 2) Deno.removeSync(`${root}/made1`);
    return 0;
  });
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  const label = { kind: "metadata", range: NOWHERE, title: "LABEL a=b", history: "LABEL a=b" } as const;
  const session = { ...world.session, layers: { compression: "none", isSingle: true } } as const;
  const steps = [runStepOf(), copyStepOf("f", "/f"), copyStepOf("f", "/g", { link: true }), runStepOf(), label];
  const { image } = await buildStage(stageOf(0, steps), START, session);
  deepEqual(image.config.history.map((entry) => entry.empty_layer ?? false), [true, true, true, false, true]);
  const [layer] = image.layers;
  equal(image.layers.length, 1);
  const tar = layer && new Uint8Array(await new Response(await layer.source.open(layer.descriptor)).arrayBuffer());
  deepEqual(readMembers(tar ?? new Uint8Array()).map(({ header }) => header.path), ["f", "g", "made2"]);
});

Deno.test("buildStage makes one layer each of a stage and its child when layers are single", async () => {
  await using world = await makeStageWorld((root, { argv }) => {
    Deno.writeTextFileSync(`${root}/${argv[0]}`, "x");
    return 0;
  });
  const session = { ...world.session, layers: { compression: "none", isSingle: true } } as const;
  const parent = await buildStage(stageOf(0, [runStepOf("RUN", { argv: ["a"] })]), START, session);
  const child = stageOf(1, [runStepOf("RUN", { argv: ["b"] })], { base: { kind: "stage", stageIndex: 0 } });
  const { image } = await buildStage(child, { ...START, parent }, session);
  const names = await Promise.all(image.layers.map(async ({ source, descriptor }) => {
    const tar = new Uint8Array(await new Response(await source.open(descriptor)).arrayBuffer());
    return readMembers(tar).map(({ header }) => String(header.path));
  }));
  deepEqual(names, [["a"], ["b"]]);
});

Deno.test("buildStage writes no layers when only the stage's files are wanted", async () => {
  await using world = await makeStageWorld((root) => {
    Deno.writeTextFileSync(`${root}/made`, "x");
    return 0;
  });
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  const stage = stageOf(0, [runStepOf(), copyStepOf("f", "/f"), copyStepOf("f", "/g", { link: true })]);
  const { image, root } = await buildStage(stage, { ...START, needsLayers: false, needsRoot: true }, world.session);
  equal(image.layers.length, 0);
  deepEqual(await Array.fromAsync(Deno.readDir(`${world.session.work.path}/layout/blobs/sha256`)), []);
  deepEqual([...Deno.readDirSync(String(root?.rootfs.path))].map(({ name }) => name).sort(), ["f", "g", "made"]);
});
