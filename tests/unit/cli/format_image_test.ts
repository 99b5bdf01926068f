import { equal } from "node:assert/strict";
import { formatBytes, formatImage } from "../../../src/cli/format_image.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { parseImageConfig } from "../../../src/oci/image_config.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { sampleImage } from "../../support/sample_image.ts";

const IMAGE = sampleImage([new Uint8Array(1_500_000)]);
const [LAYER] = IMAGE.manifest.layers;

Deno.test("formatBytes gives one digit behind the point", () => {
  const cases: readonly [number, string][] = [[0, "0 B"], [999, "999 B"], [1000, "1.0 kB"], [999_950, "1.0 MB"], [
    2.5e15,
    "2500.0 TB",
  ]];
  for (const [bytes, text] of cases) equal(formatBytes(bytes), text);
});

Deno.test("formatImage shows config and layers, and no control characters", () => {
  const config = parseImageConfig(new TextEncoder().encode(JSON.stringify({
    architecture: "arm64",
    os: "linux",
    created: "2026-01-01T00:00:00Z",
    config: { Entrypoint: ["/app"], Cmd: null, Env: ["A=\u001b[31mred"], User: "me", Labels: { l: "1" } },
    rootfs: { type: "layers", diff_ids: IMAGE.diffIds },
  })));
  const { digest } = IMAGE.manifestDescriptor;
  const manifest = { ...IMAGE.manifest, annotations: { a: "b" } };
  const image = { name: "r.io/a:1", digest, mediaType: MEDIA_TYPES.ociManifest, size: 1, manifest, config };
  equal(
    formatImage(image),
    `Name:       r.io/a:1
Digest:     ${digest}
Type:       application/vnd.oci.image.manifest.v1+json
Platform:   linux/arm64
Created:    2026-01-01T00:00:00Z
Entrypoint: ["/app"]
User:       me
Env:        A=?[31mred
Label:      l=1
Layers:     1, 1.5 MB
  ${LAYER?.digest}     1.5 MB  none
Annotation: a=b
`,
  );
});

Deno.test("formatImage lists the images of an index", () => {
  const { digest } = IMAGE.manifestDescriptor;
  const entries = [{ ...IMAGE.manifestDescriptor, platform: parsePlatform("arm") }, IMAGE.manifestDescriptor];
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries } as const;
  equal(
    formatImage({ name: "n", digest: "d", mediaType: "t", size: 1, manifest }),
    `Name:       n\nDigest:     d\nType:       t\nImages:     2\n  ${digest}  linux/arm/v7\n  ${digest}\n`,
  );
});
