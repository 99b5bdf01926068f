import { deepEqual, equal, rejects } from "node:assert/strict";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { isIndex, parseManifest } from "../../../src/oci/manifest.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import type { FoundImage } from "../../../src/registry/image_transfer.ts";
import { makeIndex } from "../../../src/registry/make_index.ts";
import { sampleBytes, type SampleImage, sampleImage } from "../../support/sample_image.ts";

const AMD64 = sampleImage();
const ARM = sampleImage([sampleBytes(5)], parsePlatform("linux/arm/v6"));
const OPTIONS = { annotations: {}, signal: new AbortController().signal };

function found(image: SampleImage): FoundImage {
  const { mediaType, digest } = image.manifestDescriptor;
  return {
    reference: parseReference("r.io/a"),
    stored: { mediaType, digest, bytes: image.manifestBytes },
    source: {
      open: () => Promise.resolve(new Blob([new Uint8Array(image.configBytes)]).stream()),
      getManifest: () => Promise.resolve(undefined),
    },
  };
}

Deno.test("makeIndex takes platforms from configs, and the entries of an index as they are", async () => {
  const first = await makeIndex([found(AMD64), found(ARM)], { ...OPTIONS, annotations: { a: "b" } });
  const index = parseManifest(first.bytes, first.mediaType);
  if (!isIndex(index)) throw new TypeError("no index");
  deepEqual(index.annotations, { a: "b" });
  deepEqual(index.manifests.map(({ platform }) => platform), [
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm", variant: "v6" },
  ]);
  const again = await makeIndex([{ ...found(AMD64), stored: first }, found(ARM)], OPTIONS);
  const flat = parseManifest(again.bytes);
  deepEqual(isIndex(flat) && flat.manifests, index.manifests);
  equal(again.mediaType, MEDIA_TYPES.ociIndex);
});

Deno.test("makeIndex throws when two images are for one platform", async () => {
  const other = sampleImage([sampleBytes(6)]);
  await rejects(makeIndex([found(AMD64), found(other)], OPTIONS), /are both for linux\/amd64/);
});
