/** Where a finished image goes: registries, archives, layouts, and the files and the line that tell its digest. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type BuildWorld, startBuildWorld } from "../support/build_world.ts";
import { assertCleanEnd, assertNothingPushed } from "../support/clean_end.ts";
import { pathExists } from "../support/path_exists.ts";
import { inspectConfig, inspectDigests, printedBySteps, unpackLayout } from "../support/read_image.ts";
import { mustRun } from "../support/run_command.ts";

/** The same digest at every build: no times but those of the context and the config. */
const DOCKERFILE = "FROM busybox\nCOPY file /\nRUN echo printed; echo more >&2\nLABEL x=y\n";
const PLAIN = ["--tls-verify=false"];

Deno.test("outputs", async (t) => {
  await using world = await startBuildWorld();
  await t.step("several destinations and all files with the digest", () => checkDestinations(world));
  await t.step("a second push uploads no blob", () => checkSecondPush(world));
  await t.step("a docker-archive that skopeo reads", () => checkArchive(world));
  await t.step("an OCI layout, all outputs at once, nothing pushed", () => checkLayout(world));
  await t.step("media types as asked for", () => checkFormats(world));
  await t.step("a push that fails leaves no digest file", () => checkFailedPush(world));
  await t.step("a push that is not allowed fails before the first step", () => checkRefusedPush(world));
});

async function checkDestinations(world: BuildWorld): Promise<void> {
  const { host } = world.registry;
  const folder = `${world.folder}/digests`;
  const built = await world.build({
    dockerfile: DOCKERFILE,
    files: { file: "content" },
    output: "by args",
    args: [
      `--destination=${host}/out/one:1`,
      `-d=${host}/out/two:2`,
      "-d",
      `${host}/out/one:latest`,
      `--digest-file=${folder}/new/digest`,
      `--image-name-with-digest-file=${folder}/names`,
      `--image-name-tag-with-digest-file=${folder}/tags`,
    ],
  });
  equal(built.code, 0, built.stderr);
  match(built.stdout, /^sha256:[0-9a-f]{64}\n$/);
  const digest = built.stdout.trim();
  for (const name of ["one:1", "two:2", "one:latest"]) {
    equal((await inspectDigests(`docker://${host}/out/${name}`, PLAIN)).digest, digest);
  }
  equal(await Deno.readTextFile(`${folder}/new/digest`), digest);
  equal(
    await Deno.readTextFile(`${folder}/names`),
    `${host}/out/one@${digest}\n${host}/out/two@${digest}\n${host}/out/one@${digest}\n`,
  );
  equal(
    await Deno.readTextFile(`${folder}/tags`),
    `${host}/out/one:1@${digest}\n${host}/out/two:2@${digest}\n${host}/out/one:latest@${digest}\n`,
  );
  deepEqual([...printedBySteps(built.stderr)].sort(), ["more", "printed"]);
  await assertCleanEnd(built);
}

async function checkSecondPush(world: BuildWorld): Promise<void> {
  const { registry } = world;
  const build = {
    dockerfile: "FROM busybox\nCOPY --from=busybox /etc/passwd /again\n",
    output: "by args" as const,
    args: [`--destination=${registry.host}/out/again:1`],
  };
  equal((await world.build(build)).code, 0);
  const before = await countUploads(world);
  const second = await world.build(build);
  equal(second.code, 0, second.stderr);
  const after = await countUploads(world);
  // The config tells when it was made, so it alone is new.
  ok(after.put - before.put <= 1 && after.patch === before.patch, JSON.stringify({ before, after }));
}

/** Finished and partial blob uploads that the registry's log tells of. */
async function countUploads(world: BuildWorld): Promise<{ readonly put: number; readonly patch: number }> {
  const log = await world.registry.readLog();
  const count = (method: string): number =>
    log.split("\n").filter((line) => line.includes(`"${method} /v2/out/again/blobs/uploads/`)).length;
  return { put: count("PUT"), patch: count("PATCH") };
}

async function checkArchive(world: BuildWorld): Promise<void> {
  const tar = `${world.folder}/archive/image.tar`;
  const built = await world.build({
    dockerfile: DOCKERFILE,
    files: { file: "in the archive" },
    output: "by args",
    args: ["--no-push", `--tar-path=${tar}`, "--destination=registry.invalid/team/app:3"],
  });
  equal(built.code, 0, built.stderr);
  const archive = `docker-archive:${tar}:registry.invalid/team/app:3`;
  const { config, rootfs } = await inspectConfig(archive);
  deepEqual(config.Labels, { x: "y" });
  const layout = `${world.folder}/from-archive`;
  await mustRun(["skopeo", "copy", "--quiet", "--insecure-policy", archive, `oci:${layout}:latest`]);
  deepEqual((await inspectConfig(`oci:${layout}:latest`)).rootfs, rootfs);
  await using image = await unpackLayout(layout);
  equal(await Deno.readTextFile(`${image.root}/file`), "in the archive");
}

async function checkLayout(world: BuildWorld): Promise<void> {
  const { host } = world.registry;
  const digestFile = `${world.folder}/layout-digest`;
  const tar = `${world.folder}/layout.tar`;
  const built = await world.build({
    dockerfile: DOCKERFILE,
    files: { file: "" },
    args: [`--destination=${host}/out/unpushed:tagged`, `--digest-file=${digestFile}`, `--tar-path=${tar}`],
  });
  equal(built.code, 0, built.stderr);
  const digest = built.stdout.trim();
  equal(await Deno.readTextFile(digestFile), digest);
  equal((await inspectDigests(`oci:${built.layout}:tagged`)).digest, digest);
  const inLayout = await inspectConfig(`oci:${built.layout}:tagged`);
  deepEqual((await inspectConfig(`docker-archive:${tar}`)).rootfs, inLayout.rootfs);
  await assertNothingPushed(world.registry, "out/unpushed");
}

async function checkFormats(world: BuildWorld): Promise<void> {
  for (
    const [format, mediaType] of [["docker", "vnd.docker.distribution.manifest.v2"], [
      "oci",
      "vnd.oci.image.manifest.v1",
    ]]
  ) {
    const image = `${world.registry.host}/out/format:${format}`;
    const built = await world.build({
      dockerfile: "FROM busybox\nCOPY --from=busybox /etc/passwd /x\n",
      output: "by args",
      args: [
        `--image-format=${format}`,
        `--destination=${image}`,
        ...format === "oci" ? ["--annotation=note=here"] : [],
      ],
    });
    equal(built.code, 0, built.stderr);
    const manifest = await mustRun(["skopeo", "inspect", ...PLAIN, "--raw", `docker://${image}`]);
    match(manifest, new RegExp(`${mediaType}\\+json`));
    deepEqual(JSON.parse(manifest).annotations, format === "oci" ? { note: "here" } : undefined);
    const dockerfile = `FROM ${image}\nRUN touch -d @1 /y\n`;
    const child = await world.build({ dockerfile, output: "by args", args: [`--destination=${image}-child`] });
    equal(child.code, 0, child.stderr);
    const pushed = await mustRun(["skopeo", "inspect", ...PLAIN, "--raw", `docker://${image}-child`]);
    match(pushed, new RegExp(`${mediaType}\\+json`));
    const saved = await world.build({ dockerfile });
    const index = JSON.parse(await Deno.readTextFile(`${saved.layout}/index.json`));
    equal(index.manifests[0].mediaType, "application/vnd.oci.image.manifest.v1+json");
  }
}

async function checkFailedPush(world: BuildWorld): Promise<void> {
  const digestFile = `${world.folder}/never`;
  const flags = ["--digest-file", "--image-name-with-digest-file", "--image-name-tag-with-digest-file"];
  const built = await world.build({
    dockerfile: "FROM busybox\nRUN echo built\n",
    output: "by args",
    args: [
      `--destination=${world.registry.host}/out/half:1`,
      "--destination=127.0.0.1:1/out/down:1",
      "--insecure",
      "--skip-push-permission-check",
      ...flags.map((flag, index) => `${flag}=${digestFile}${index}`),
    ],
  });
  equal(built.code, 5, built.stderr);
  match(built.stderr, /127\.0\.0\.1:1\/out\/down/);
  deepEqual(printedBySteps(built.stderr)[0], "built");
  for (const index of flags.keys()) equal(await pathExists(`${digestFile}${index}`), false);
  await assertCleanEnd(built);
}

async function checkRefusedPush(world: BuildWorld): Promise<void> {
  const built = await world.build({
    dockerfile: "FROM busybox\nRUN echo built\n",
    output: "by args",
    args: ["--destination=127.0.0.1:1/out/down:1", "--insecure", `--digest-file=${world.folder}/refused`],
  });
  equal(built.code, 5, built.stderr);
  equal(built.stderr.includes("built\n"), false, "no step has run");
  equal(await pathExists(`${world.folder}/refused`), false);
  await assertCleanEnd(built);
}
