/**
 * Builds every fixture of `fixtures/builds` and compares the image with what Docker's BuildKit made of it when it was
 * recorded: config, history, and every entry of every layer. Differences kept on purpose are in `kept_differences.ts`.
 */
import { deepEqual, equal } from "node:assert/strict";
import { type BuildFixture, loadBuildFixtures, prepareFixture, readRecording } from "../support/build_fixture.ts";
import { type BaseRegistry, buildWithKiln, startBaseRegistry } from "../support/fixture_builders.ts";
import type { Json } from "../support/image_description.ts";
import { type Difference, formatDifferences, jsonDifferences } from "../support/json_differences.ts";
import { KEPT_DIFFERENCES } from "../support/kept_differences.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const TRAPS = 40;

/** What kiln makes of `fixture` where it differs from the recording. */
async function compare(fixture: BuildFixture, base: BaseRegistry): Promise<readonly Difference[]> {
  await using work = await makeTempDir();
  const files = await prepareFixture(fixture, work.path);
  const recorded = await readRecording(fixture);
  const built = await buildWithKiln({ fixture, files, layout: `${work.path}/layout` }, base);
  if (recorded.kind === "failure" && built.kind === "failure") {
    const { line } = recorded.failure; // Where the reference names no line, kiln may.
    return line === null ? [] : jsonDifferences({ line }, { line: built.failure.line });
  }
  return jsonDifferences(outcome(recorded), outcome(built));
}

function outcome(recording: Awaited<ReturnType<typeof readRecording>>): Json {
  return recording.kind === "image" ? recording.image : { failure: recording.failure };
}

function isKept({ name }: BuildFixture, { at, actual }: Difference): boolean {
  const text = actual === undefined ? "nothing" : JSON.stringify(actual);
  return KEPT_DIFFERENCES.some(({ kiln, places }) => places[name]?.includes(at) && kiln.test(text));
}

function keptPlaces({ name }: BuildFixture): readonly string[] {
  return KEPT_DIFFERENCES.flatMap(({ places }) => places[name] ?? []).sort();
}

Deno.test("kiln builds fixtures/builds as the reference does", async (test) => {
  await using base = await startBaseRegistry();
  const only = Deno.env.get("KILN_FIXTURES")?.split(",");
  for (const fixture of await loadBuildFixtures()) {
    if (only !== undefined && !only.includes(fixture.name)) continue;
    await test.step(`${fixture.name}: ${fixture.title}`, async () => {
      const differences = await compare(fixture, base);
      equal(formatDifferences(differences.filter((difference) => !isKept(fixture, difference))), "");
      deepEqual(keptPlaces(fixture), differences.map((difference) => difference.at).sort());
    });
  }
});

Deno.test("KEPT_DIFFERENCES names only fixtures that exist", async () => {
  const names = new Set((await loadBuildFixtures()).map((fixture) => fixture.name));
  deepEqual(KEPT_DIFFERENCES.flatMap(({ places }) => Object.keys(places)).filter((name) => !names.has(name)), []);
});

Deno.test("fixtures/builds has a fixture for each known trap", async () => {
  const covered = new Set((await loadBuildFixtures()).flatMap((fixture) => fixture.traps ?? []));
  const missing = Array.from({ length: TRAPS }, (_, index) => index + 1).filter((trap) => !covered.has(trap));
  deepEqual(missing, []);
});
