import { deepEqual, equal, rejects } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { saveToLayout, writeDockerArchive } from "../../../src/image/archive.ts";
import { withPlatform } from "../../../src/image/mutate.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { manifestBytes } from "../../../src/oci/manifest.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseImageName } from "../../../src/oci/reference.ts";
import type { ResolvedImage } from "../../../src/plan/plan.ts";
import { LocalImages, openLocalSource } from "../../../src/registry/local_source.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { registryWorld } from "../../support/registry_world.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";

const gzip = await memoryLayer("etc/a", "first");
const image = memoryImage([gzip]);
const { services } = registryWorld(() => Promise.reject(new TypeError("the network was used")));

async function resolve(locals: LocalImages, text: string, platform = "linux/amd64"): Promise<ResolvedImage> {
  const reference = parseImageName(text);
  if (reference.local === undefined) throw new TypeError(text);
  return await locals.resolve(reference.local, reference, parsePlatform(platform), services);
}

/** A layout with two tags, and one with an index entry for each platform. */
async function layouts(folder: TempDir): Promise<void> {
  const tags = await OciLayout.open(`${folder.path}/tags`);
  await saveToLayout(image, tags, "one");
  await saveToLayout(memoryImage([gzip, gzip]), tags, "two");
  const platforms = await OciLayout.open(`${folder.path}/platforms`);
  const amd64 = await saveToLayout(image, platforms);
  const arm64 = await saveToLayout(withPlatform(image, parsePlatform("linux/arm64")), platforms);
  const manifests = [
    { ...amd64, platform: parsePlatform("linux/amd64") },
    { ...arm64, platform: parsePlatform("linux/arm64") },
  ];
  const index = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
  await Deno.writeFile(`${folder.path}/platforms/index.json`, index);
}

Deno.test("LocalImages resolves by tag, by digest and by platform, without the network", async () => {
  await using folder = await makeTempDir();
  await layouts(folder);
  const locals = new LocalImages();
  const one = await resolve(locals, `oci-layout://${folder.path}/tags:one`);
  equal(one.manifest.layers.length, 1);
  equal((await resolve(locals, `oci-layout://${folder.path}/tags@${one.digest}`)).digest, one.digest);
  equal((await resolve(locals, `oci-layout://${folder.path}/tags:two`)).manifest.layers.length, 2);
  for (const platform of ["linux/amd64", "linux/arm64"]) {
    const { config } = await resolve(locals, `oci-layout://${folder.path}/platforms`, platform);
    equal(`${config.os}/${config.architecture}`, platform);
  }
  deepEqual(locals.paths, [`${folder.path}/tags`, `${folder.path}/platforms`]);
});

Deno.test("LocalImages resolves the image of a docker-archive", async () => {
  await using folder = await makeTempDir();
  const path = `${folder.path}/a.tar`;
  await Deno.writeFile(path, await writeDockerArchive(image, ["app:1"]));
  for (const text of [`docker-archive://${path}`, `docker-archive://${path}:app:1`]) {
    deepEqual((await resolve(new LocalImages(), text)).config.rootfs.diff_ids, [gzip.diffId]);
  }
  await rejects(resolve(new LocalImages(), `docker-archive://${path}:app:2`), /Cannot read docker-archive:.*unknown/);
});

Deno.test("LocalImages says what is missing", async () => {
  await using folder = await makeTempDir();
  await layouts(folder);
  const cases: readonly [text: string, reason: RegExp][] = [
    [`oci-layout://${folder.path}/none`, /none" as an OCI image layout: there is no index.json/],
    [`oci-layout://${folder.path}/tags`, /it has one, two/],
    [`oci-layout://${folder.path}/tags:three`, /tags:three: manifest unknown/],
  ];
  for (const [text, reason] of cases) await rejects(resolve(new LocalImages(), text), reason);
  await Deno.writeTextFile(`${folder.path}/tags/index.json`, '{"schemaVersion":2,"manifests":[]}');
  await rejects(resolve(new LocalImages(), `oci-layout://${folder.path}/tags`), /it is empty/);
  equal(await Deno.stat(`${folder.path}/none`).catch(() => "absent"), "absent");
});

Deno.test("openLocalSource opens blobs of a layout", async () => {
  await using folder = await makeTempDir();
  await layouts(folder);
  const source = await openLocalSource({ kind: "oci-layout", path: `${folder.path}/tags` });
  const bytes = new Uint8Array(await new Response(await source.open(gzip.descriptor)).arrayBuffer());
  equal(bytes.length, gzip.descriptor.size);
});
