import { deepEqual, equal, rejects } from "node:assert/strict";
import type { StoredManifest } from "../../../src/blob/blob_store.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { listReferrers, pushReferrer, referrersTag } from "../../../src/registry/referrers.ts";
import { type FakeRegistry, fakeRegistry } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { sampleImage } from "../../support/sample_image.ts";

const SUBJECT = sampleImage().manifestDescriptor;
const REPOSITORY = { registry: "r.io", repository: "a" };

function artifact(artifactType: string): StoredManifest {
  const { mediaType, digest, size } = SUBJECT;
  const bytes = new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256(new Uint8Array()), size: 0 },
    layers: [],
    subject: { mediaType, digest, size },
    annotations: { b: "2", a: "1" },
  }));
  return { mediaType: MEDIA_TYPES.ociManifest, digest: sha256(bytes), bytes };
}

/** The registry of today: it lists referrers itself, two pages of one entry, and says so when one is pushed. */
function listing(entries: readonly unknown[]): FakeRegistry {
  return fakeRegistry({
    intercept: ({ url, method }) => {
      const { pathname, searchParams } = new URL(url);
      if (method === "PUT") {
        return new Response(null, {
          status: 201,
          headers: { "oci-subject": SUBJECT.digest, "docker-content-digest": pathname.split("/").at(-1) ?? "" },
        });
      }
      if (pathname !== `/v2/a/referrers/${SUBJECT.digest}`) return undefined;
      const page = Number(searchParams.get("page") ?? 0);
      const link = page + 1 < entries.length ? { link: `<${pathname}?page=${page + 1}>; rel="next"` } : {};
      const body = JSON.stringify({ schemaVersion: 2, manifests: entries.slice(page, page + 1) });
      return new Response(body, { headers: { "content-type": MEDIA_TYPES.ociIndex, ...link } });
    },
  });
}

Deno.test("listReferrers reads all pages of the registry's list, and filters by type", async () => {
  const entry = (artifactType: string): unknown => ({ ...SUBJECT, artifactType });
  using wired = wire(registryWorld(listing([entry("x"), entry("y")]).fetch));
  const client = wired.client(REPOSITORY, "pull");
  const all = await listReferrers(client, { digest: SUBJECT.digest });
  deepEqual(all.map(({ artifactType }) => artifactType), ["x", "y"]);
  equal((await listReferrers(client, { digest: SUBJECT.digest, artifactType: "y" })).length, 1);
});

Deno.test("pushReferrer leaves the list to a registry that keeps it", async () => {
  const fake = listing([]);
  using wired = wire(registryWorld(fake.fetch));
  await pushReferrer(wired.client(REPOSITORY, "push"), artifact("x"));
  equal(fake.calls().length, 1);
});

Deno.test("pushReferrer keeps an index under the subject's tag where the registry has no list", async () => {
  const fake = fakeRegistry();
  using wired = wire(registryWorld(fake.fetch));
  const client = wired.client(REPOSITORY, "push");
  deepEqual(await listReferrers(client, { digest: SUBJECT.digest }), []);
  const first = await pushReferrer(client, artifact("x"));
  await pushReferrer(client, artifact("y"));
  await pushReferrer(client, artifact("x"));
  deepEqual(first.annotations, { b: "2", a: "1" });
  equal(fake.manifests.has(`a:sha256-${SUBJECT.digest.slice(7)}`), true);
  const found = await listReferrers(client, { digest: SUBJECT.digest });
  deepEqual(found.map(({ digest, artifactType }) => [digest, artifactType]), [
    [artifact("x").digest, "x"],
    [artifact("y").digest, "y"],
  ]);
  equal(referrersTag(SUBJECT.digest), `sha256-${SUBJECT.digest.slice(7)}`);
});

Deno.test("pushReferrer wants a subject, and broken lists are an error", async () => {
  using wired = wire(registryWorld(fakeRegistry().fetch));
  const { mediaType, digest } = SUBJECT;
  const plain = { mediaType, digest, bytes: sampleImage().manifestBytes };
  await rejects(pushReferrer(wired.client(REPOSITORY, "push"), plain), /"subject" is missing/);
  using broken = wire(registryWorld(listing([{ ...SUBJECT, digest: "md5:1" }]).fetch));
  await rejects(listReferrers(broken.client(REPOSITORY, "pull"), { digest }), /"md5:1" is no digest/);
});
