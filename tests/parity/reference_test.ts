/**
 * The recordings of `fixtures/builds` against Docker's BuildKit: each fixture is built again and must come out as recorded.
 * With KILN_RECORD=1 the recordings are written anew instead. Runs with `deno task test:parity`; without a daemon it says so.
 */
import { deepEqual } from "node:assert/strict";
import { loadBuildFixtures, prepareFixture, readRecording, writeRecording } from "../support/build_fixture.ts";
import { buildWithReference, startBaseRegistry } from "../support/fixture_builders.ts";
import { startReferenceDocker } from "../support/reference_docker.ts";
import { say } from "../support/run_command.ts";

Deno.test("fixtures/builds are recorded as the reference builds them", async (test) => {
  const start = await startReferenceDocker();
  if (start.kind === "absent") {
    say(`\nSKIPPED: the comparison with Docker's BuildKit did not run: ${start.reason}\n`);
    return;
  }
  await using docker = start.docker;
  await using base = await startBaseRegistry();
  const only = Deno.env.get("KILN_FIXTURES")?.split(",");
  for (const fixture of await loadBuildFixtures()) {
    if (only !== undefined && !only.includes(fixture.name)) continue;
    await test.step(`${fixture.name}: ${fixture.title}`, async () => {
      const folder = `${docker.share}/${fixture.name}`;
      const files = await prepareFixture(fixture, folder);
      const recording = await buildWithReference({ fixture, files, layout: `${folder}/layout` }, base, docker);
      if (Deno.env.get("KILN_RECORD") === "1") await writeRecording(fixture, recording);
      else deepEqual(recording, await readRecording(fixture));
    });
  }
});
