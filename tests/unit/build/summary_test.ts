import { equal } from "node:assert/strict";
import { buildSummary } from "../../../src/build/summary.ts";
import { type Image, scratchImage } from "../../../src/image/image.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { LINUX } from "../../support/stage_world.ts";

function imageOf(...sizes: readonly number[]): Image {
  const digest = sha256(new Uint8Array());
  const source = { open: () => Promise.reject(new TypeError("not to be opened")) };
  const layers = sizes.map((size) => {
    return { descriptor: { mediaType: "x", digest, size }, diffId: digest as never, source };
  });
  return { ...scratchImage(LINUX), layers };
}

Deno.test("buildSummary tells layers, sizes, disk and time", () => {
  const costs = { durationMs: 12_340, peakDiskBytes: 1_234_567_890 };
  for (
    const [image, baseLayers, start] of [
      [imageOf(), 0, "Built 0 layers of 0 B, 0 of them new with 0 B"],
      [imageOf(999), 0, "Built 1 layer of 999 B, 1 of them new with 999 B"],
      [imageOf(1_000_000, 2_500, 500), 1, "Built 3 layers of 1.0 MB, 2 of them new with 3.0 kB"],
    ] as const
  ) {
    equal(buildSummary(image, baseLayers, costs), `${start}; peak disk 1.2 GB, 12.3 s`);
  }
});
