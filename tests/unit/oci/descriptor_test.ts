import { equal } from "node:assert/strict";
import { layerCompression, layerMediaType, MEDIA_TYPES } from "../../../src/oci/descriptor.ts";

Deno.test("layerMediaType and layerCompression agree in both families", () => {
  for (const format of ["oci", "docker"] as const) {
    for (const compression of ["gzip", "zstd", "none"] as const) {
      const type = layerMediaType(format, compression);
      if (format === "docker" && compression === "zstd") equal(type, undefined);
      else equal(layerCompression(type ?? ""), compression, `${format} ${compression}`);
    }
  }
});

Deno.test("layerCompression knows foreign layers and nothing that is no layer", () => {
  equal(layerCompression(MEDIA_TYPES.ociForeignLayer), "none");
  equal(layerCompression(MEDIA_TYPES.dockerForeignLayerGzip), "gzip");
  equal(layerCompression(MEDIA_TYPES.ociForeignLayerZstd), "zstd");
  equal(layerCompression(MEDIA_TYPES.ociConfig), undefined);
  equal(layerCompression("application/vnd.in-toto+json"), undefined);
});
