/**
 * The recordings of `fixtures/builds` against Docker's BuildKit: each fixture is built again and must come out as recorded.
 * `deno task test:parity` takes all of them, `deno task test` every fifth. Where no daemon can start, it says so and passes.
 */
import { deepEqual } from "node:assert/strict";
import {
  type BuildFixture,
  loadBuildFixtures,
  prepareFixture,
  readRecording,
  writeRecording,
} from "../support/build_fixture.ts";
import { buildWithReference, startBaseRegistry } from "../support/fixture_builders.ts";
import { startReferenceDocker } from "../support/reference_docker.ts";
import { say } from "../support/run_command.ts";

const PART = 5;

/** Those that KILN_FIXTURES (names, with commas) or KILN_PARITY (`all`) choose. */
async function chooseFixtures(): Promise<readonly BuildFixture[]> {
  const fixtures = await loadBuildFixtures();
  const names = Deno.env.get("KILN_FIXTURES")?.split(",");
  if (names !== undefined) return fixtures.filter(({ name }) => names.includes(name));
  return Deno.env.get("KILN_PARITY") === "all" ? fixtures : fixtures.filter((_, index) => index % PART === 0);
}

Deno.test("fixtures/builds are recorded as the reference builds them", async (test) => {
  const start = await startReferenceDocker();
  if (start.kind === "absent") {
    say(`\n!! SKIPPED: nothing was compared with Docker's BuildKit itself: ${start.reason}\n`);
    return;
  }
  await using docker = start.docker;
  await using base = await startBaseRegistry();
  for (const fixture of await chooseFixtures()) {
    await test.step(`${fixture.name}: ${fixture.title}`, async () => {
      const folder = `${docker.share}/${fixture.name}`;
      const files = await prepareFixture(fixture, folder);
      const recording = await buildWithReference({ fixture, files, layout: `${folder}/layout` }, base, docker);
      if (Deno.env.get("KILN_RECORD") === "1") await writeRecording(fixture, recording);
      else deepEqual(recording, await readRecording(fixture));
    });
  }
});
