import { equal, match, rejects } from "node:assert/strict";
import { build } from "../../../src/build/build.ts";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import type { BuildOutcome, BuildRequest } from "../../../src/build/build_request.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { CancelledError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { type ImageConfig, parseImageConfig } from "../../../src/oci/image_config.ts";
import { isIndex, parseManifest } from "../../../src/oci/manifest.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../../src/registry/registry_options.ts";
import { LINUX, testServices } from "../../support/stage_world.ts";
import { readMembers } from "../../support/tar_members.ts";
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

for (
  const { epoch, created, mtimeNs } of [
    { epoch: undefined, created: "1970-01-01T00:00:00Z", mtimeNs: 0n },
    { epoch: "1000000000", created: "2001-09-09T01:46:40Z", mtimeNs: 1_000_000_000_000_000_000n },
  ]
) {
  Deno.test(`build makes the same image on another day when it is reproducible and the epoch is ${epoch}`, async () => {
    const digests = new Set<string>();
    for (const day of [0, 1]) {
      await using temp = await makeTempDir();
      const plain = await requestFor(temp, "FROM scratch\nWORKDIR /w\nCOPY f /w/f\nLABEL a=b\n");
      await Deno.utime(`${temp.path}/f`, 1_500_000_000 + day, 1_500_000_000 + day);
      const buildArgs = new Map(epoch === undefined ? [] : [["SOURCE_DATE_EPOCH", epoch]]);
      const layers = { compression: "none", isReproducible: true } as const;
      const request = { ...plain, plan: { ...plain.plan, buildArgs }, layers };
      const services = { ...testServices(temp.path), nowMs: () => Date.now() + day * 86_400_000 };
      const outcome = await build(request, services);
      digests.add(outcome.kind === "built" ? outcome.result.digest : "");
      const layout = await OciLayout.open(`${temp.path}/out`);
      const { config, layers: written } = await readImage(layout, outcome);
      equal(config.created, created);
      for (const entry of config.history) equal(entry.created, created);
      for (const { header } of written.flatMap((tar) => readMembers(tar))) {
        equal(header.mtimeNs, header.path === "w/f" || header.path === "w" ? mtimeNs : undefined, header.path);
      }
    }
    equal(digests.size, 1);
  });
}

async function readImage(
  layout: OciLayout,
  outcome: BuildOutcome,
): Promise<{ config: ImageConfig; layers: Uint8Array[] }> {
  const digest = outcome.kind === "built" ? outcome.result.digest : "";
  const stored = await layout.getManifest(digest);
  const manifest = parseManifest(stored?.bytes ?? new Uint8Array());
  if (isIndex(manifest)) throw new TypeError("an index was not asked for");
  const read = async (descriptor: Descriptor): Promise<Uint8Array> =>
    new Uint8Array(await new Response(await layout.open(descriptor)).arrayBuffer());
  const layers = await Promise.all(manifest.layers.map(read));
  return { config: parseImageConfig(await read(manifest.config)), layers };
}
