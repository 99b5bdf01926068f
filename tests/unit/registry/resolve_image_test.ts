import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { manifestBytes } from "../../../src/oci/manifest.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { findManifest, type ImageSource, readConfig, resolveImage } from "../../../src/registry/resolve_image.ts";
import { registryWorld } from "../../support/registry_world.ts";
import { sampleImage } from "../../support/sample_image.ts";

const IMAGE = sampleImage();
const AMD64 = parsePlatform("linux/amd64");
const WANTED = { reference: parseReference("r.io/a:1"), target: "1", platform: AMD64, operation: "pull r.io/a:1" };
const { services, logged } = registryWorld(() => Promise.reject(new TypeError("no network")));

/** A source in memory, its image behind an index under the tag 1. */
function source(entryChanges: Readonly<Record<string, unknown>> = {}): ImageSource {
  const entry = { ...IMAGE.manifestDescriptor, platform: AMD64, ...entryChanges };
  const index = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [entry] });
  return {
    open: () => Promise.resolve(new Blob([new Uint8Array(IMAGE.configBytes)]).stream()),
    getManifest: (target) => {
      const { mediaType, digest } = IMAGE.manifestDescriptor;
      if (target === digest) return Promise.resolve({ mediaType, digest, bytes: IMAGE.manifestBytes });
      if (target !== "1") return Promise.resolve(undefined);
      return Promise.resolve({ mediaType: MEDIA_TYPES.ociIndex, digest: sha256(index), bytes: index });
    },
  };
}

Deno.test("resolveImage goes through the index to manifest and config", async () => {
  const image = await resolveImage(source(), WANTED, services);
  equal(image.digest, IMAGE.manifestDescriptor.digest);
  deepEqual(image.config.rootfs.diff_ids, IMAGE.diffIds);
  const arm = { ...WANTED, platform: parsePlatform("linux/arm64"), target: IMAGE.manifestDescriptor.digest };
  await resolveImage(source(), arm, services);
  ok(logged.some((line) => line.includes("r.io/a:1 is for linux/amd64, not for linux/arm64")));
});

Deno.test("findManifest refuses what is missing, of another size, or for no such platform", async () => {
  const signal = new AbortController().signal;
  const arm = { ...WANTED, platform: parsePlatform("linux/arm64") };
  await rejects(findManifest(source(), { ...WANTED, target: "2" }, signal), /Cannot pull r.io\/a:1: manifest unknown/);
  await rejects(findManifest(source({ size: 7 }), WANTED, signal), /bytes, not 7/);
  await rejects(findManifest(source(), arm, signal), /it has linux\/amd64/);
});

Deno.test("readConfig refuses a config that is too large or none", async () => {
  const signal = new AbortController().signal;
  const config = { ...IMAGE.configDescriptor, size: 2 ** 40 };
  await rejects(
    readConfig(source(), { config }, "pull x", signal),
    /Cannot pull x: its config has 1099511627776 bytes/,
  );
  const html = { open: () => Promise.resolve(new Blob(["<html>"]).stream()) };
  await rejects(readConfig(html, { config: IMAGE.configDescriptor }, "pull x", signal), /Cannot pull x: .*not JSON/);
});
