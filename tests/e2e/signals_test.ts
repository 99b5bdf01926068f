/** SIGINT and SIGTERM in the middle of a RUN, of a pull and of a push: the right exit code, and nothing left. */
import { equal, match } from "node:assert/strict";
import { type BuildWorld, type HostBuild, startBuildWorld } from "../support/build_world.ts";
import { assertCleanEnd, assertNothingPushed } from "../support/clean_end.ts";
import { pathExists } from "../support/path_exists.ts";
import { sampleImage, storeImage } from "../support/sample_image.ts";
import { serveRegistry } from "../support/served_registry.ts";

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;

Deno.test("signals", async (t) => {
  await using world = await startBuildWorld();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await t.step(`${signal} in a RUN`, () => checkInRun(signal, "", world));
    await t.step(`${signal} in a pull`, () => checkInPull(signal, world));
    await t.step(`${signal} in a push`, () => checkInPush(signal, world));
  }
  await t.step("SIGTERM in a RUN that ignores it", () => checkInRun("SIGTERM", 'trap "" TERM INT HUP; ', world));
});

async function checkInRun(signal: StopSignal, prefix: string, world: BuildWorld): Promise<void> {
  const repository = `signals/${signal.toLowerCase()}`;
  await stop(world, signal, {
    dockerfile: `FROM busybox\nRUN ${prefix}setsid sleep 98765 & echo is-"running"; sleep 98765; sleep 98765\n`,
    args: [`--destination=${world.registry.host}/${repository}:1`],
  }, (started) => started.waitFor("is-running\n"));
  await assertNothingPushed(world.registry, repository);
}

async function checkInPull(signal: StopSignal, world: BuildWorld): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  await using served = serveRegistry({
    intercept: async (request) => {
      if (request.method !== "GET" || !request.url.includes("/blobs/") || served.registry.seen.length < 3) {
        return undefined;
      }
      asked.resolve();
      await stopped.promise;
      return new Response(null, { status: 503 });
    },
  });
  storeImage(served.registry, "slow/base", "1", sampleImage());
  try {
    await stop(world, signal, {
      dockerfile: `FROM ${served.host}/slow/base:1\nCOPY Dockerfile /\n`,
      args: ["--insecure-pull", "--no-push"],
    }, () => asked.promise);
  } finally {
    stopped.resolve();
  }
}

async function checkInPush(signal: StopSignal, world: BuildWorld): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  await using served = serveRegistry({
    intercept: async (request) => {
      if (request.method !== "PATCH" && request.method !== "PUT") return undefined;
      asked.resolve();
      await stopped.promise;
      return new Response(null, { status: 503 });
    },
  });
  try {
    await stop(world, signal, {
      dockerfile: "FROM busybox\nCOPY Dockerfile /\n",
      args: [`--destination=${served.host}/slow/target:1`, "--insecure"],
    }, () => asked.promise);
  } finally {
    stopped.resolve();
  }
  equal(served.registry.manifests.size, 0);
}

/** Starts `build`, waits for `moment`, sends `signal` and looks at the end. */
async function stop(
  world: BuildWorld,
  signal: StopSignal,
  build: HostBuild,
  moment: (started: Awaited<ReturnType<BuildWorld["start"]>>) => Promise<void>,
): Promise<void> {
  const digestFile = `${world.folder}/digest-of-stopped`;
  await using started = await world.start({
    ...build,
    output: "by args",
    args: [...build.args ?? [], `--digest-file=${digestFile}`],
    isSealed: true,
  });
  await Promise.race([moment(started), started.result.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  started.kill(signal);
  const result = await started.result;
  equal(result.code, EXIT_CODES[signal], result.stderr);
  match(result.stderr, new RegExp(`ERRO .*${signal}`));
  equal(await pathExists(digestFile), false);
  const { folder, context, work, layout } = started;
  await assertCleanEnd({ ...result, folder, context, work, layout });
}
