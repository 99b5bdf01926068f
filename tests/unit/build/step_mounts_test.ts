import { deepEqual, equal, rejects } from "node:assert/strict";
import type { BuildSession } from "../../../src/build/build_session.ts";
import { type MountingPlace, openStepMounts, readMountRequest } from "../../../src/build/step_mounts.ts";
import type { RunMount, SecretMount } from "../../../src/plan/plan.ts";
import { Rootfs } from "../../../src/rootfs/rootfs.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { makeStageWorld, runStepOf, type StageWorld, testServices } from "../../support/stage_world.ts";

const SECRET: SecretMount = {
  kind: "secret",
  id: "s",
  target: "/run/secrets/s",
  isRequired: false,
  mode: 0o400,
  uid: 1,
  gid: 2,
};
const SSH = { kind: "ssh", id: "default", target: "/agent", isRequired: false, mode: 0o600, uid: 0, gid: 0 } as const;

function placeIn(world: StageWorld, protectedPaths: readonly string[] = []): MountingPlace {
  return { rootfs: new Rootfs(rawPath(world.session.work.path), protectedPaths.map(rawPath)), kept: new Map() };
}

function sessionOf(world: StageWorld, secret?: string): BuildSession {
  const secrets = new Map(secret === undefined ? [] : [["s", new TextEncoder().encode(secret)]]);
  return { ...world.session, supplies: { ...world.session.supplies, secrets, agents: new Map([["default", "/a"]]) } };
}

async function opened(
  world: StageWorld,
  mounts: readonly RunMount[],
  secret?: string,
): Promise<{ readonly targets: readonly string[]; readonly env: readonly string[] }> {
  await using result = await openStepMounts(runStepOf("RUN x", { mounts }), placeIn(world), sessionOf(world, secret));
  return { targets: result.mounts.map(({ kind, target }) => `${kind} ${target}`), env: result.env };
}

Deno.test("openStepMounts gives a secret as a file, a variable, both or not at all", async () => {
  await using world = await makeStageWorld();
  const { target: _target, ...withoutFile } = SECRET;
  deepEqual(await opened(world, [SECRET], "v"), { targets: ["content /run/secrets/s"], env: [] });
  deepEqual(await opened(world, [{ ...SECRET, env: "E" }], "v\n"), {
    targets: ["content /run/secrets/s"],
    env: ["E=v\n"],
  });
  deepEqual(await opened(world, [{ ...withoutFile, env: "E" }], "v"), { targets: [], env: ["E=v"] });
  deepEqual(await opened(world, [{ ...SECRET, env: "E" }]), { targets: [], env: ["E="] });
});

Deno.test("openStepMounts rejects when what is required is missing or cannot be a variable", async () => {
  await using world = await makeStageWorld();
  const required = { ...SECRET, isRequired: true };
  await rejects(opened(world, [required]), { code: "context", message: 'Cannot mount secret "s": not found' });
  await rejects(opened(world, [{ ...SSH, id: "k", isRequired: true }]), { message: /ssh agent "k": not found/ });
  await rejects(opened(world, [{ ...SECRET, env: "E" }], "a\0b"), { message: /it holds a NUL byte/ });
});

Deno.test("openStepMounts names the first agent in SSH_AUTH_SOCK unless the image does", async () => {
  await using world = await makeStageWorld();
  const mounts = [SSH, { ...SSH, target: "/b" }, { ...SSH, id: "none", target: "/c" }];
  deepEqual(await opened(world, mounts), {
    targets: ["socket /agent", "socket /b"],
    env: ["SSH_AUTH_SOCK=/agent"],
  });
  const step = runStepOf("RUN x", { mounts, env: ["SSH_AUTH_SOCK=/mine"] });
  await using result = await openStepMounts(step, placeIn(world), sessionOf(world));
  deepEqual(result.env, []);
});

Deno.test("openStepMounts shows a script where the command expects it, and files where they are", async () => {
  await using world = await makeStageWorld();
  await Deno.writeTextFile(`${world.contextPath}/f`, "f");
  const bind = { kind: "bind", target: "/b", from: { kind: "context" }, source: "/f", isReadOnly: true } as const;
  const step = runStepOf("RUN x", { mounts: [bind], script: { name: "E", content: "#!/x" } });
  await using result = await openStepMounts(step, placeIn(world), world.session);
  const [file, script] = result.mounts;
  equal(file?.kind === "tree" && file.shareable, `${world.contextPath}/f`);
  deepEqual([script?.kind, script?.target, script?.kind === "content" && script.mode], [
    "content",
    "/dev/pipes/E",
    0o755,
  ]);
});

Deno.test("openStepMounts opens one cache for several targets of it, and releases it", async () => {
  await using world = await makeStageWorld();
  const cache = {
    kind: "cache",
    target: "/a",
    id: "i",
    source: "/",
    isReadOnly: false,
    sharing: "locked",
    mode: 0o755,
    uid: 0,
    gid: 0,
  } as const;
  for (let time = 0; time < 2; time++) {
    deepEqual((await opened(world, [cache, { ...cache, target: "/b" }])).targets, ["cache /a", "cache /b"]);
  }
});

Deno.test("openStepMounts refuses targets that are or hold what is no part of the image", async () => {
  await using world = await makeStageWorld();
  const place = placeIn(world, ["/kaniko", "/run/host"]);
  for (const target of ["/kaniko", "/kaniko/x", "/run"]) {
    const step = runStepOf("RUN x", { mounts: [{ kind: "tmpfs", target }] });
    await rejects(openStepMounts(step, place, world.session), { code: "unsupported", message: /^Cannot mount at / });
  }
});

Deno.test("readMountRequest finds agents from the current folder on and refuses what is none", async () => {
  await using world = await makeStageWorld();
  const services = testServices(world.contextPath);
  deepEqual(await readMountRequest(undefined, services), { secrets: new Map(), agents: new Map() });
  using listener = Deno.listen({ transport: "unix", path: `${world.contextPath}/socket` });
  const { agents } = await readMountRequest({ secrets: new Map(), agents: new Map([["d", "socket"]]) }, services);
  deepEqual([...agents], [["d", `${world.contextPath}/socket`]]);
  const missing = { secrets: new Map(), agents: new Map([["d", "none"]]) };
  await rejects(readMountRequest(missing, services), { code: "context" });
  listener.unref();
});
