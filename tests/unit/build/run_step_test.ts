import { deepEqual, equal, rejects } from "node:assert/strict";
import { runStep } from "../../../src/build/run_step.ts";
import { StageRoot } from "../../../src/build/stage_root.ts";
import { scratchImage } from "../../../src/image/image.ts";
import { RunError } from "../../../src/runner/runner.ts";
import { copyStepOf, LINUX, makeStageWorld, NOWHERE, runStepOf, type StageWorld } from "../../support/stage_world.ts";
import type { StepPlace } from "../../../src/build/run_step.ts";

function placeIn({ session }: StageWorld, index = 0): StepPlace {
  const root = new StageRoot(session.roots.open(index), session.hasher, session.services.nowMs);
  return {
    image: scratchImage(LINUX),
    materialise: () => Promise.resolve(root),
    liveRoot: () => root,
    kept: new Map(),
    implicitTimeNs: 0n,
    layering: "step",
  };
}

Deno.test("runStep gives a RUN the environment of its step and a HOME", async () => {
  await using world = await makeStageWorld();
  await runStep(runStepOf(), placeIn(world), world.session);
  deepEqual(world.runs[0]?.env, ["HOME=/"]);
  await runStep(runStepOf("RUN x", { env: ["HOME=/h", "A=b"] }), placeIn(world, 1), world.session);
  deepEqual(world.runs[1]?.env, ["HOME=/h", "A=b"]);
});

Deno.test("runStep makes an empty layer when a command changes nothing", async () => {
  await using world = await makeStageWorld();
  const image = await runStep(runStepOf(), placeIn(world), world.session);
  equal(image.layers.length, 1);
  equal(image.config.history[0]?.empty_layer, undefined);
});

Deno.test("runStep rejects with a RunError when a command fails", async () => {
  await using world = await makeStageWorld(() => 3);
  await rejects(runStep(runStepOf("RUN fails"), placeIn(world), world.session), (error: unknown) => {
    return error instanceof RunError && error.exitCode === 3 && /RUN fails/.test(error.message);
  });
});

Deno.test("runStep rejects with the path when a file to copy is missing", async () => {
  await using world = await makeStageWorld();
  await rejects(runStep(copyStepOf("none", "/x"), placeIn(world), world.session), /"\/?none"/);
});

Deno.test("runStep makes a WORKDIR with its parents in a layer of its own", async () => {
  await using world = await makeStageWorld();
  const place = placeIn(world);
  const step = {
    kind: "workdir",
    range: NOWHERE,
    title: "WORKDIR /a/b",
    history: "WORKDIR /a/b",
    path: "/a/b",
    user: "7",
  } as const;
  const image = await runStep(step, place, world.session);
  equal(image.layers.length, 1);
  const { uid, mode } = Deno.lstatSync(`${world.session.work.stages}/0/a/b`);
  deepEqual([uid, (mode ?? 0) & 0o7777], [7, 0o755]);
});

Deno.test("runStep gives directories that a COPY makes and changes a time that does not depend on now", async () => {
  await using world = await makeStageWorld();
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  const place = { ...placeIn(world), implicitTimeNs: 5_000_000_000n };
  const { rootfs } = await place.materialise();
  await Deno.mkdir(`${rootfs.path}/old`);
  await Deno.utime(`${rootfs.path}/old`, 77, 77);
  await runStep(copyStepOf("f", "/old/new/deep/"), place, world.session);
  const seconds = ["old", "old/new", "old/new/deep"].map((path) => {
    return (Deno.lstatSync(`${rootfs.path}/${path}`).mtime?.getTime() ?? 0) / 1000;
  });
  deepEqual(seconds, [77, 5, 5]);
});
