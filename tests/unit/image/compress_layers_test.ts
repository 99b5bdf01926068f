import { deepEqual, equal } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { compressLayers, type StoredImage } from "../../../src/image/compress_layers.ts";
import { encodeImage, type Image } from "../../../src/image/image.ts";
import { openUncompressed } from "../../../src/layer/layer.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { isIndex, manifestBytes, parseManifest } from "../../../src/oci/manifest.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { readAll } from "../../support/tar_members.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const gzip = await memoryLayer("etc/a", "first");
const plain = await memoryLayer("etc/b", "second", "none");

function storedImage(image: Image): StoredImage {
  const { manifestBytes: bytes, manifestDescriptor: { mediaType, digest } } = encodeImage(image);
  const layers = new Map(image.layers.map((layer) => [String(layer.descriptor.digest), layer.source]));
  const open: StoredImage["source"]["open"] = (descriptor, signal) => {
    const source = layers.get(descriptor.digest);
    if (source === undefined) throw new TypeError(descriptor.digest);
    return source.open(descriptor, signal);
  };
  return { stored: { mediaType, digest, bytes }, source: { open } };
}

Deno.test("compressLayers compresses what is plain, and keeps config and the other layers", async () => {
  await using folder = await makeTempDir();
  for (const format of ["oci", "docker"] as const) {
    const image = memoryImage([gzip, plain], format);
    const compressed = await compressLayers(storedImage(image), await OciLayout.open(folder.path));
    const manifest = parseManifest(compressed.stored.bytes, compressed.stored.mediaType);
    if (isIndex(manifest)) throw new TypeError("an index");
    equal(sha256(compressed.stored.bytes), compressed.stored.digest);
    equal(manifest.config.digest, encodeImage(image).configDescriptor.digest);
    const [first, second] = manifest.layers;
    equal(first?.digest, gzip.descriptor.digest);
    equal(second?.mediaType, format === "oci" ? MEDIA_TYPES.ociLayerGzip : MEDIA_TYPES.dockerLayerGzip);
    if (second === undefined) throw new TypeError("no layer");
    const layer = { descriptor: second, diffId: plain.diffId, source: compressed.source };
    equal(sha256(await readAll(await openUncompressed(layer))), String(plain.diffId));
    if (first !== undefined) equal((await readAll(await compressed.source.open(first))).length, first.size);
  }
});

Deno.test("compressLayers leaves indexes and compressed images alone", async () => {
  await using folder = await makeTempDir();
  const layout = await OciLayout.open(folder.path);
  const image = storedImage(memoryImage([gzip]));
  deepEqual(await compressLayers(image, layout), image);
  const bytes = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] });
  const index = { stored: { mediaType: MEDIA_TYPES.ociIndex, digest: sha256(bytes), bytes }, source: image.source };
  deepEqual(await compressLayers(index, layout), index);
});
