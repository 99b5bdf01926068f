import { deepEqual, equal, match } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { saveToLayout } from "../../../src/image/archive.ts";
import type { Image } from "../../../src/image/image.ts";
import { configViolations, validateImage, validateStored } from "../../../src/image/validate.ts";
import type { Layer } from "../../../src/layer/layer.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import type { HistoryEntry } from "../../../src/oci/image_config.ts";
import { sampleBytes } from "../../support/byte_streams.ts";
import { memoryImage, memoryLayer, memorySource } from "../../support/memory_image.ts";

const layer = await memoryLayer("dir/file", "some text");
const other = await memoryLayer("other", "other text");
const image = memoryImage([layer, other]);

Deno.test("validateImage finds nothing when the image is right", async () => {
  deepEqual(await validateImage(image), []);
  deepEqual(await validateImage(memoryImage([])), []);
});

function withLayer(changed: Partial<Layer>): Image {
  return { ...image, layers: [{ ...layer, ...changed }, other] };
}

const rubbish = sampleBytes(2000);
const wrong: readonly (readonly [name: string, image: Image, expected: RegExp])[] = [
  ["a size is wrong", withLayer({ descriptor: { ...layer.descriptor, size: 7 } }), /size is \d+, not 7/],
  ["a digest is wrong", withLayer({ descriptor: { ...layer.descriptor, digest: sha256(rubbish) } }), /its digest is/],
  ["a layer is another one", withLayer({ source: other.source }), /its diffId is/],
  ["a layer's diffId is not the config's", withLayer({ diffId: other.diffId }), /the config says diffId/],
  ["a layer is no gzip", withLayer({ source: memorySource(rubbish) }), /decompress gzip/],
  ["a layer is no tar", { ...image, layers: [other, await notTar()] }, /not a tar archive/],
  ["a layer is missing", { ...image, layers: [layer] }, /2 diffIds for 1 layers/],
  [
    "history does not fit",
    { ...image, config: { ...image.config, history: [{ created_by: "x" }] } },
    /1 entries for 2 layers/,
  ],
  ["a time is none", { ...image, config: { ...image.config, created: "yesterday" } }, /"yesterday" is no time/],
  ["the format cannot say it", { ...image, format: "docker", annotations: { a: "1" } }, /annotations/],
];
for (const [name, broken, expected] of wrong) {
  Deno.test(`validateImage tells when ${name}`, async () => {
    match((await validateImage(broken)).map(({ message }) => message).join("\n"), expected);
  });
}

async function notTar(): Promise<Layer> {
  const plain = await memoryLayer("x", "y", "none");
  return { ...plain, source: memorySource(rubbish) };
}

Deno.test("validateStored reads an image from its manifest on, and tells what is broken", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const layout = await OciLayout.open(dir);
    await saveToLayout(image, layout, "v1");
    deepEqual(await validateStored(layout, "v1"), []);
    match((await validateStored(layout, "v2"))[0]?.message ?? "", /"v2" is not there/);
    await Deno.writeFile(`${dir}/blobs/sha256/${layer.descriptor.digest.slice(7)}`, rubbish);
    const found = await validateStored(layout, "v1");
    equal(found.length, 1);
    equal(found[0]?.subject, layer.descriptor.digest);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("configViolations accepts a config without history", () => {
  const history: readonly HistoryEntry[] = [];
  deepEqual(configViolations({ ...image.config, history }, 2), []);
});
