import { equal, throws } from "node:assert/strict";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { parsePlatform, type Platform } from "../../../src/oci/platform.ts";
import { choosePlatform } from "../../../src/registry/choose_platform.ts";
import { RegistryError } from "../../../src/registry/registry_error.ts";

function entry(platform: string | undefined, annotations?: Record<string, string>): Descriptor {
  const [os = "", architecture = "", variant] = (platform ?? "").split("/");
  const value: Platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
  return {
    mediaType: MEDIA_TYPES.ociManifest,
    digest: sha256(new TextEncoder().encode(`${platform}`)),
    size: 1,
    ...(platform === undefined ? {} : { platform: value }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function choose(wanted: string, entries: readonly Descriptor[]): Descriptor {
  const index = { schemaVersion: 2 as const, mediaType: MEDIA_TYPES.ociIndex, manifests: entries };
  return choosePlatform(index, parsePlatform(wanted), "pull r/x:1");
}

Deno.test("choosePlatform takes the best fit", () => {
  const entries = ["linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8", "linux/amd64/v2"].map((p) =>
    entry(p)
  );
  const cases: readonly [wanted: string, expected: number][] = [
    ["linux/amd64", 0],
    ["linux/amd64/v3", 4],
    ["linux/arm/v7", 2],
    ["linux/arm/v6", 1],
    ["linux/arm64", 3],
  ];
  for (const [wanted, expected] of cases) equal(choose(wanted, entries), entries[expected], wanted);
});

Deno.test("choosePlatform passes over attestations and lists what there is when nothing fits", () => {
  const attestation = entry("unknown/unknown", { "vnd.docker.reference.type": "attestation-manifest" });
  throws(
    () => choose("linux/s390x", [attestation, entry("linux/arm64"), entry("linux/amd64"), entry("linux/amd64")]),
    (error: unknown) =>
      error instanceof RegistryError &&
      error.message === "Cannot pull r/x:1: no image for linux/s390x; it has linux/amd64, linux/arm64",
  );
  throws(() => choose("linux/amd64", [attestation]), /it has none with a platform/);
});

Deno.test("choosePlatform takes an entry without a platform only when it is the only image", () => {
  const only = entry(undefined);
  equal(choose("linux/amd64", [only, entry("unknown/unknown")]), only);
  throws(() => choose("linux/amd64", [only, entry("linux/arm64")]), RegistryError);
});
