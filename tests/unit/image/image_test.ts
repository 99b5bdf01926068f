import { deepEqual, equal, throws } from "node:assert/strict";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";
import { encodeImage, imageOf, layerDescriptor, scratchImage } from "../../../src/image/image.ts";
import { withAnnotations } from "../../../src/image/mutate.ts";
import { type Descriptor, MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { parseImageConfig } from "../../../src/oci/image_config.ts";
import { isIndex, parseManifest } from "../../../src/oci/manifest.ts";
import { memoryImage, memoryLayer, memorySource } from "../../support/memory_image.ts";

const NOWHERE = memorySource(new Uint8Array());

Deno.test("scratchImage has a platform in its normal form and no layers", () => {
  const image = scratchImage({ os: "linux", architecture: "aarch64", variant: "v8" }, "docker");
  deepEqual([image.config.architecture, "variant" in image.config, image.layers, image.format], [
    "arm64",
    false,
    [],
    "docker",
  ]);
  equal(scratchImage({ os: "linux", architecture: "arm" }).config.variant, "v7");
});

for (const format of ["oci", "docker"] as const) {
  Deno.test(`encodeImage writes what imageOf reads when the format is ${format}`, async () => {
    const image = memoryImage([await memoryLayer("a", "1"), await memoryLayer("b", "2", "none")], format);
    const encoded = encodeImage(image);
    equal(encoded.configDescriptor.digest, sha256(encoded.configBytes));
    equal(encoded.manifestDescriptor.digest, sha256(encoded.manifestBytes));
    equal(encoded.manifestDescriptor.size, encoded.manifestBytes.length);
    equal(new TextDecoder().decode(encoded.manifestBytes).startsWith('{"schemaVersion":2,'), true);
    const manifest = parseManifest(encoded.manifestBytes, encoded.manifestDescriptor.mediaType);
    if (isIndex(manifest)) throw new TypeError("an image is no index");
    deepEqual(manifest.config, encoded.configDescriptor);
    deepEqual(
      manifest.layers.map(({ mediaType }) => mediaType),
      format === "oci"
        ? [MEDIA_TYPES.ociLayerGzip, MEDIA_TYPES.ociLayer]
        : [MEDIA_TYPES.dockerLayerGzip, MEDIA_TYPES.dockerLayer],
    );
    const again = imageOf({ manifest, config: parseImageConfig(encoded.configBytes) }, NOWHERE);
    equal(again.inheritedHistory, 2);
    deepEqual(encodeImage(again), encoded);
  });
}

Deno.test("encodeImage fails when the Docker format cannot say it", async () => {
  const image = memoryImage([await memoryLayer("a", "1")], "docker");
  throws(() => encodeImage(withAnnotations(image, { a: "1" })), UnsupportedError);
  const [layer] = image.layers;
  const zstd = { ...image, layers: layer === undefined ? [] : [withMediaType(layer, MEDIA_TYPES.ociLayerZstd)] };
  throws(() => encodeImage(zstd), UnsupportedError);
  const manifest = encodeImage(withAnnotations({ ...zstd, format: "oci" }, { b: "2" })).manifestBytes;
  deepEqual(parseManifest(manifest).annotations, { b: "2" });
});

Deno.test("imageOf fails when config and manifest disagree on layers", async () => {
  const image = memoryImage([await memoryLayer("a", "1")]);
  const manifest = parseManifest(encodeImage(image).manifestBytes);
  if (isIndex(manifest)) throw new TypeError("an image is no index");
  throws(() => imageOf({ manifest: { ...manifest, layers: [] }, config: image.config }, NOWHERE), FormatError);
});

Deno.test("imageOf leaves the base's annotations behind and repairs its history", async () => {
  const image = withAnnotations(memoryImage([await memoryLayer("a", "1")]), { a: "1" });
  const manifest = parseManifest(encodeImage(image).manifestBytes);
  if (isIndex(manifest)) throw new TypeError("an image is no index");
  const base = imageOf({ manifest, config: { ...image.config, history: [] } }, NOWHERE);
  deepEqual([base.annotations, base.config.history.length, base.inheritedHistory], [{}, 1, 1]);
});

Deno.test("layerDescriptor makes foreign layers ordinary, strips builders' own annotations, keeps unknown types", () => {
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.dockerForeignLayerGzip,
    digest: sha256(new Uint8Array()),
    size: 0,
    urls: ["https://example.org"],
    annotations: { "containerd.io/uncompressed": "x", "buildkit/createdat": "y", toc: "z" },
  };
  const { digest, size } = descriptor;
  deepEqual(layerDescriptor(descriptor, "oci"), {
    mediaType: MEDIA_TYPES.ociLayerGzip,
    digest,
    size,
    annotations: { toc: "z" },
  });
  deepEqual(layerDescriptor(descriptor, "docker"), { mediaType: MEDIA_TYPES.dockerLayerGzip, digest, size });
  const unknown = { ...descriptor, mediaType: "application/x" };
  deepEqual(layerDescriptor(unknown, "oci"), unknown);
});

function withMediaType<T extends { readonly descriptor: Descriptor }>(layer: T, mediaType: string): T {
  return { ...layer, descriptor: { ...layer.descriptor, mediaType } };
}
