import { deepEqual, equal, rejects } from "node:assert/strict";
import * as zlib from "node:zlib";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { UnsupportedError } from "../../../src/errors.ts";
import { saveToLayout, writeDockerArchive } from "../../../src/image/archive.ts";
import { encodeImage, type Image } from "../../../src/image/image.ts";
import { validateStored } from "../../../src/image/validate.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { readAll, readMembers } from "../../support/tar_members.ts";

const gzip = await memoryLayer("etc/a", "first");
const plain = await memoryLayer("etc/b", "second", "none");
const image = memoryImage([gzip, plain, gzip]);

Deno.test("writeDockerArchive writes config, each layer once, and a manifest that names them", async () => {
  const members = readMembers(await readAll(await writeDockerArchive(image, ["a/b:1", "c:2"])));
  const [config, ...rest] = members;
  const names = members.map(({ header }) => String(header.path));
  const configDigest = encodeImage(image).configDescriptor.digest;
  const layers = [`${gzip.descriptor.digest.slice(7)}.tar.gz`, `${plain.descriptor.digest.slice(7)}.tar`];
  deepEqual(names, [`${configDigest.slice(7)}.json`, ...layers, "manifest.json"]);
  equal(sha256(config?.body ?? new Uint8Array()), configDigest);
  equal(sha256(rest[0]?.body ?? new Uint8Array()), gzip.descriptor.digest);
  const manifest: unknown = JSON.parse(new TextDecoder().decode(rest[2]?.body));
  deepEqual(manifest, [{ Config: names[0], RepoTags: ["a/b:1", "c:2"], Layers: [...layers, layers[0]] }]);
});

Deno.test("writeDockerArchive decompresses zstd layers", async () => {
  if (!("createZstdCompress" in zlib)) return;
  const zstd = await memoryLayer("etc/z", "third", "zstd");
  const members = readMembers(await readAll(await writeDockerArchive(memoryImage([zstd]), [])));
  equal(sha256(members[1]?.body ?? new Uint8Array()), String(zstd.diffId));
});

Deno.test("writeDockerArchive fails when a layer's media type is unknown", async () => {
  const odd = { ...gzip, descriptor: { ...gzip.descriptor, mediaType: "application/x" } };
  await rejects(writeDockerArchive({ ...image, layers: [odd] }, []), UnsupportedError);
});

Deno.test("saveToLayout gives a valid image under its tag, or by digest alone", async () => {
  await inFolder(async (dir) => {
    const layout = await OciLayout.open(dir);
    const descriptor = await saveToLayout(image, layout, "v1");
    deepEqual(descriptor, encodeImage(image).manifestDescriptor);
    deepEqual(await validateStored(layout, "v1"), []);
    const second = await saveToLayout(memoryImage([plain]), layout);
    deepEqual(await validateStored(layout, second.digest), []);
    equal((await layout.index()).manifests.length, 2);
  });
});

Deno.test("saveToLayout writes what skopeo and umoci read", { ignore: !hasPrograms() }, async () => {
  await inFolder(async (dir) => {
    await saveToLayout(image, await OciLayout.open(`${dir}/layout`), "v1");
    const { configBytes } = encodeImage(image);
    deepEqual(await run("skopeo", ["inspect", "--raw", "--config", `oci:${dir}/layout:v1`]), configBytes);
    await run("umoci", ["unpack", "--rootless", "--image", `${dir}/layout:v1`, `${dir}/bundle`]);
    equal(await Deno.readTextFile(`${dir}/bundle/rootfs/etc/a`), "first");
    equal(await Deno.readTextFile(`${dir}/bundle/rootfs/etc/b`), "second");
  });
});

Deno.test("writeDockerArchive writes what skopeo reads", { ignore: !hasPrograms() }, async () => {
  await inFolder(async (dir) => {
    for (
      const [format, source] of [["oci", image], ["docker", { ...image, format: "docker" } satisfies Image]] as const
    ) {
      const archive = `${dir}/${format}.tar`;
      await Deno.writeFile(archive, await writeDockerArchive(source, ["example.org/a/b:1"]));
      await run("skopeo", ["--insecure-policy", "copy", `docker-archive:${archive}`, `oci:${dir}/${format}:v1`]);
      await run("umoci", ["unpack", "--rootless", "--image", `${dir}/${format}:v1`, `${dir}/${format}-bundle`]);
      equal(await Deno.readTextFile(`${dir}/${format}-bundle/rootfs/etc/b`), "second");
    }
  });
});

function hasPrograms(): boolean {
  try {
    return ["skopeo", "umoci"].every((name) => new Deno.Command(name, { args: ["--version"] }).outputSync().success);
  } catch {
    return false; // not installed
  }
}

async function run(command: string, args: readonly string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  equal(success, true, new TextDecoder().decode(stderr));
  return stdout;
}

async function inFolder(action: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await action(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
