import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { stageSources, StepInputs } from "../../../src/build/step_inputs.ts";
import type { StepInput } from "../../../src/cache/cache_key.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import type { RunMount } from "../../../src/plan/plan.ts";
import { Rootfs } from "../../../src/rootfs/rootfs.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { copyStepOf, makeStageWorld, runStepOf } from "../../support/stage_world.ts";

const NO_STAGE = (): Promise<StepInput> => Promise.reject(new TypeError("no stage was named"));
const BIND: RunMount = { kind: "bind", target: "/m", from: { kind: "context" }, source: "/d", isReadOnly: true };
const FIRST = { kind: "stage", stageIndex: 3 } as const;

Deno.test("stageSources are the stages of COPY and of mounts, each once", () => {
  deepEqual(stageSources(copyStepOf("a", "/a", { source: FIRST })), [3]);
  deepEqual(stageSources(runStepOf("x", { mounts: [{ ...BIND, from: FIRST }, { ...BIND, from: FIRST }] })), [3]);
  deepEqual([copyStepOf("a", "/a"), runStepOf()].flatMap(stageSources), []);
});

Deno.test("StepInputs.of gives nothing for a command, and one input for each place files come from", async () => {
  await using world = await makeStageWorld();
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  await Deno.mkdir(`${world.contextPath}/d`);
  const inputs = new StepInputs(world.session);
  deepEqual(await inputs.of(runStepOf(), NO_STAGE), []);
  const [file] = await inputs.of(copyStepOf("f", "/f"), NO_STAGE);
  equal(file?.kind, "files");
  const mounted = await inputs.of(runStepOf("x", { mounts: [BIND, { ...BIND, source: "/f" }] }), NO_STAGE);
  deepEqual(mounted.map(({ kind }) => kind), ["files", "files"]);
  notEqual(mounted[0], mounted[1]);
});

Deno.test("StepInputs.of sees a mounted file change", async () => {
  await using world = await makeStageWorld();
  await Deno.mkdir(`${world.contextPath}/d`);
  const step = runStepOf("x", { mounts: [BIND] });
  const before = await new StepInputs(world.session).of(step, NO_STAGE);
  await Deno.writeTextFile(`${world.contextPath}/d/f`, "f");
  notEqual(JSON.stringify(await new StepInputs(world.session).of(step, NO_STAGE)), JSON.stringify(before));
});

Deno.test("StepInputs.of leaves stages to the caller and knows images by their digest", async () => {
  await using world = await makeStageWorld();
  const inputs = new StepInputs(world.session);
  const given: StepInput = { kind: "files", digest: sha256(new Uint8Array()) };
  const asked: number[] = [];
  const stage = (index: number): Promise<StepInput> => Promise.resolve((asked.push(index), given));
  deepEqual(await inputs.of(copyStepOf("a", "/a", { source: FIRST }), stage), [given]);
  deepEqual(asked, [3]);
});

Deno.test("StepInputs.of fetches nothing that a checksum or a commit pins", async () => {
  await using world = await makeStageWorld();
  const inputs = new StepInputs(world.session);
  const checksum = sha256(new Uint8Array());
  const url = { kind: "url", position: 0, url: "http://nowhere.invalid/f", checksum, unpack: false } as const;
  deepEqual(await inputs.of(copyStepOf("", "/f", { patterns: [], remotes: [url] }), NO_STAGE), [{ kind: "none" }]);
});

Deno.test("StepInputs.of fails as copying would", async () => {
  await using world = await makeStageWorld();
  await rejects(new StepInputs(world.session).of(copyStepOf("f", "/f"), NO_STAGE), /not found/);
});

Deno.test("StepInputs.stageFiles sees the files that a step takes of a stage, and no others", async () => {
  await using world = await makeStageWorld();
  const inputs = new StepInputs(world.session);
  const root = `${world.session.work.path}/stage`;
  await Deno.mkdir(root);
  const kept = new Map([[3, new Rootfs(rawPath(root), [])]]);
  const digest = async (): Promise<StepInput> =>
    await inputs.stageFiles(3, { patterns: ["a"], exclude: [], parents: false }, kept);
  await Deno.writeTextFile(`${root}/a`, "1");
  const before = await digest();
  await Deno.writeTextFile(`${root}/b`, "1");
  deepEqual(await digest(), before);
  await Deno.writeTextFile(`${root}/a`, "2");
  notEqual(JSON.stringify(await digest()), JSON.stringify(before));
});
