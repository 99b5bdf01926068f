import { equal, match, rejects } from "node:assert/strict";
import { build } from "../../../src/build/build.ts";
import type { BuildRequest } from "../../../src/build/build_request.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { CancelledError } from "../../../src/errors.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../../src/registry/registry_options.ts";
import { LINUX, testServices } from "../../support/stage_world.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";

async function requestFor(temp: TempDir, dockerfile: string, more: Partial<BuildRequest> = {}): Promise<BuildRequest> {
  await Deno.writeTextFile(`${temp.path}/Dockerfile`, dockerfile);
  await Deno.writeTextFile(`${temp.path}/f`, "f");
  return {
    context: { source: temp.path, subPath: "" },
    plan: { buildArgs: new Map(), targetPlatform: LINUX, buildPlatform: LINUX, labels: new Map() },
    root: { isolation: "chroot", force: false, workFolder: `${temp.path}/work`, ignorePaths: [], preCleanup: false },
    layers: { compression: "gzip" },
    registry: DEFAULT_REGISTRY_OPTIONS,
    credentialPaths: [],
    outputs: {
      destinations: [],
      push: false,
      checkPushPermission: false,
      annotations: {},
      ociLayoutPath: `${temp.path}/out`,
    },
    isDryRun: false,
    ...more,
  };
}

Deno.test("build makes an image from scratch and leaves nothing in the work folder", async () => {
  await using temp = await makeTempDir();
  const request = await requestFor(temp, "FROM scratch\nCOPY f /f\nLABEL a=b\n");
  const outcome = await build(request, testServices(temp.path));
  equal(outcome.kind, "built");
  const index = JSON.parse(await Deno.readTextFile(`${temp.path}/out/index.json`));
  equal(index.manifests[0].digest, outcome.kind === "built" && outcome.result.digest);
  equal([...Deno.readDirSync(`${temp.path}/work`)].length, 0);
});

Deno.test("build prints the plan and builds nothing when it is a dry run", async () => {
  await using temp = await makeTempDir();
  const outcome = await build(
    await requestFor(temp, "FROM scratch\nCOPY f /f\n", { isDryRun: true }),
    testServices(temp.path),
  );
  match(outcome.kind === "planned" ? outcome.text : "", /COPY f \/f/);
  equal([...Deno.readDirSync(temp.path)].some((entry) => entry.name === "out" || entry.name === "work"), false);
});

Deno.test("build names the line when the Dockerfile is wrong", async () => {
  await using temp = await makeTempDir();
  for (
    const text of ["FROM scratch\nCOPPY f /f\n", "FROM scratch\nCOPY --from=none f /f\n", "FROM scratch\nCOPY g /g\n"]
  ) {
    await rejects(build(await requestFor(temp, text), testServices(temp.path)), (error: unknown) => {
      return error instanceof SourceError && error.range.startLine === 2;
    }, text);
  }
});

Deno.test("build stops and leaves nothing when it is cancelled", async () => {
  await using temp = await makeTempDir();
  const request = await requestFor(temp, "FROM scratch\nCOPY f /f\n");
  const services = { ...testServices(temp.path), signal: AbortSignal.abort(new CancelledError("SIGTERM")) };
  await rejects(build(request, services), CancelledError);
  equal([...Deno.readDirSync(temp.path)].some((entry) => entry.name === "out"), false);
  equal([...Deno.readDirSync(`${temp.path}/work`)].length, 0);
});
