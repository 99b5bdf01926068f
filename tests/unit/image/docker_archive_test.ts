import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { IntegrityError } from "../../../src/blob/verify_stream.ts";
import { FormatError } from "../../../src/errors.ts";
import { writeDockerArchive } from "../../../src/image/archive.ts";
import { DockerArchive } from "../../../src/image/docker_archive.ts";
import { encodeImage } from "../../../src/image/image.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { type ImageManifest, isIndex, parseManifest } from "../../../src/oci/manifest.ts";
import { writeTar } from "../../../src/tar/write.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { tarHeader } from "../../support/tar_headers.ts";
import { readAll } from "../../support/tar_members.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const gzip = await memoryLayer("etc/a", "first");
const plain = await memoryLayer("etc/b", "second", "none");
const image = memoryImage([gzip, plain, gzip]);

async function withArchive(bytes: Uint8Array, action: (path: string) => Promise<void>): Promise<void> {
  await using folder = await makeTempDir();
  await Deno.writeFile(`${folder.path}/a.tar`, bytes);
  await action(`${folder.path}/a.tar`);
}

async function archiveOf(contents: unknown, files: Readonly<Record<string, string>> = {}): Promise<Uint8Array> {
  const all = { ...files, "manifest.json": JSON.stringify(contents) };
  return await readAll(writeTar(
    Object.entries(all).map(([name, text]) => {
      const body = new TextEncoder().encode(text);
      return { header: tarHeader(name, { size: body.length }), body: [body] };
    }),
  ));
}

Deno.test("DockerArchive gives manifest, config and layers with the digests that they have", async () => {
  const bytes = await readAll(await writeDockerArchive(image, ["a/b:1", "r.io/c:2"]));
  await withArchive(bytes, async (path) => {
    const archive = await DockerArchive.open(path);
    const stored = await archive.getManifest();
    const manifest = parseManifest(stored?.bytes ?? new Uint8Array(), stored?.mediaType) as ImageManifest;
    equal(isIndex(manifest), false);
    equal(manifest.config.digest, encodeImage(image).configDescriptor.digest);
    deepEqual(
      manifest.layers.map(({ mediaType, digest }) => [mediaType, String(digest)]),
      [
        [MEDIA_TYPES.dockerLayerGzip, gzip.descriptor.digest],
        [MEDIA_TYPES.dockerLayer, String(plain.diffId)],
        [MEDIA_TYPES.dockerLayerGzip, gzip.descriptor.digest],
      ],
    );
    for (const descriptor of [manifest.config, ...manifest.layers]) {
      equal((await readAll(await archive.open(descriptor))).length, descriptor.size);
    }
    for (const name of ["a/b:1", "docker.io/a/b:1", "r.io/c:2", stored?.digest ?? ""]) {
      equal(await archive.getManifest(name), stored, name);
    }
    equal(await archive.getManifest("a/b:2"), undefined);
  });
});

Deno.test("DockerArchive asks for a name when there are several images", async () => {
  const config = new TextDecoder().decode(encodeImage(memoryImage([])).configBytes);
  const entry = (name: string): unknown => ({ Config: "c.json", RepoTags: [name], Layers: [] });
  await withArchive(await archiveOf([entry("a:1"), entry("b:1")], { "c.json": config }), async (path) => {
    const archive = await DockerArchive.open(path);
    throws(() => archive.getManifest(), /it has 2, a:1, b:1/);
    equal((await archive.getManifest("b:1"))?.mediaType, MEDIA_TYPES.dockerManifest);
  });
});

Deno.test("DockerArchive notices a layer that is not the one of the config", async () => {
  const config = new TextDecoder().decode(encodeImage(memoryImage([plain])).configBytes);
  const contents = [{ Config: "c.json", RepoTags: null, Layers: ["l.tar"] }];
  await withArchive(await archiveOf(contents, { "c.json": config, "l.tar": "x".repeat(1024) }), async (path) => {
    const archive = await DockerArchive.open(path);
    const stored = await archive.getManifest();
    const { layers } = parseManifest(stored?.bytes ?? new Uint8Array()) as ImageManifest;
    for (const layer of layers) await rejects(async () => readAll(await archive.open(layer)), IntegrityError);
  });
});

Deno.test("DockerArchive names the file and what is wrong with it", async () => {
  const config = new TextDecoder().decode(encodeImage(memoryImage([])).configBytes);
  const cases: readonly [bytes: Uint8Array, reason: RegExp][] = [
    [await archiveOf({}), /manifest\.json of archive/],
    [await archiveOf([]), /it has no image/],
    [await archiveOf([{ Config: "c.json", Layers: [] }]), /there is no "c\.json" in it/],
    [await archiveOf([{ Config: "c.json", Layers: ["l"] }], { "c.json": config }), /names 0 layers, manifest\.json 1/],
    [await readAll(writeTar([{ header: tarHeader("x") }])), /there is no "manifest\.json"/],
  ];
  for (const [bytes, reason] of cases) {
    await withArchive(bytes, (path) => rejects(DockerArchive.open(path), reason));
  }
  await rejects(DockerArchive.open("/nonexistent/a.tar"), FormatError);
});
