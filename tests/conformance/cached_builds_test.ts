/**
 * Builds every fixture of `fixtures/builds` that gives an image twice with one cache: the second build runs nothing, opens no
 * root and gives the same image, digest for digest.
 */
import { deepEqual, equal } from "node:assert/strict";
import { type BuildFixture, loadBuildFixtures, prepareFixture, readRecording } from "../support/build_fixture.ts";
import { type BuildWorld, startBuildWorld } from "../support/build_world.ts";
import { sharedFlags } from "../support/fixture_builders.ts";
import { type FixtureServer, startFixtureServer } from "../support/fixture_server.ts";
import { printedBySteps } from "../support/read_image.ts";
import { makeTempDir } from "../support/temp_dir.ts";

Deno.test("a fixture's image is the same from the cache", async (test) => {
  await using world = await startBuildWorld({ hasDebian: true });
  await using server = await startFixtureServer();
  const only = Deno.env.get("KILN_FIXTURES")?.split(",");
  for (const fixture of await loadBuildFixtures()) {
    if (only !== undefined && !only.includes(fixture.name)) continue;
    if ((await readRecording(fixture)).kind === "failure") continue;
    await test.step(fixture.name, () => checkFixture(fixture, world, server));
  }
});

async function checkFixture(fixture: BuildFixture, world: BuildWorld, server: FixtureServer): Promise<void> {
  await using folder = await makeTempDir();
  const files = await prepareFixture(fixture, folder.path);
  const platform = fixture.platform === undefined ? [] : [`--custom-platform=${fixture.platform}`];
  const args = [
    `--context=${files.context}`,
    `--dockerfile=${files.dockerfile}`,
    ...platform,
    ...files.flags,
    ...sharedFlags(fixture, { server }),
    "--cache",
    "--cache-copy-layers",
    `--cache-repo=oci:${folder.path}/cache`,
  ];
  const cold = await world.build({ args });
  equal(cold.code, 0, cold.stderr);
  const warm = await world.build({ args });
  equal(warm.code, 0, warm.stderr);
  deepEqual(printedBySteps(warm.stderr), [], "something ran");
  equal(warm.stdout, cold.stdout);
  const executed = warm.stderr.split("\n").filter((line) => /^INFO \[.*\] (?:RUN|COPY|ADD) /.test(line)).length;
  equal(
    warm.stderr.split("\n").filter((line) => /^INFO \[.*\] Cached /.test(line)).length >= executed,
    true,
    warm.stderr,
  );
}
