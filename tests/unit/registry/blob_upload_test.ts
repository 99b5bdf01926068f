import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { BlobSource } from "../../../src/blob/blob_store.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { probeUpload, uploadBlob, type UploadOptions } from "../../../src/registry/blob_upload.ts";
import { RegistryError } from "../../../src/registry/registry_error.ts";
import { failing, type FakeRegistry, fakeRegistry, type FakeRegistryKnobs } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { describe, sampleBytes } from "../../support/sample_image.ts";
import { scriptedFetch } from "../../support/scripted_fetch.ts";

const REPOSITORY = { registry: "r.io", repository: "a/b" };

interface Outcome {
  readonly registry: FakeRegistry;
  readonly result: string;
  readonly opened: number;
}

/** Uploads `bytes` in chunks of 100, and checks that the registry has them. */
async function upload(
  bytes: Uint8Array<ArrayBuffer>,
  knobs: FakeRegistryKnobs = {},
  options: UploadOptions = {},
  prepare: (registry: FakeRegistry) => void = () => {},
): Promise<Outcome> {
  const registry = fakeRegistry(knobs);
  prepare(registry);
  using wired = wire(registryWorld(registry.fetch));
  const descriptor = describe(MEDIA_TYPES.ociLayer, bytes);
  let opened = 0;
  const source: BlobSource = {
    open: () => {
      opened++;
      return Promise.resolve(new Blob([bytes]).stream());
    },
  };
  const session = wired.session(REPOSITORY, "push");
  const result = await uploadBlob(session, descriptor, source, { chunkBytes: 100, ...options });
  deepEqual(registry.blobs.get(`a/b@${descriptor.digest}`), bytes);
  return { registry, result, opened };
}

function methods(registry: FakeRegistry): string {
  return registry.seen.map(({ method }) => method).join(" ");
}

function isChunk(request: Request): boolean {
  return request.method === "PATCH" && request.headers.has("content-range");
}

Deno.test("uploadBlob sends a small blob whole and a larger one in chunks", async () => {
  for (const size of [0, 1, 100]) equal(methods((await upload(sampleBytes(size))).registry), "POST PUT", `${size}`);
  const { registry } = await upload(sampleBytes(250));
  equal(methods(registry), "POST PATCH PATCH PATCH PUT");
  deepEqual(registry.seen.map(({ range }) => range), [null, "0-99", "100-199", "200-249", null]);
  equal(methods((await upload(sampleBytes(200))).registry), "POST PATCH PATCH PUT");
});

Deno.test("uploadBlob mounts what another repository has, and uploads when that is refused", async () => {
  const bytes = sampleBytes(50);
  const { digest } = describe(MEDIA_TYPES.ociLayer, bytes);
  const prepare = (registry: FakeRegistry): void => void registry.blobs.set(`other@${digest}`, bytes);
  const mounted = await upload(bytes, {}, { mountFrom: "other" }, prepare);
  deepEqual([mounted.result, mounted.opened, methods(mounted.registry)], ["mounted", 0, "POST"]);
  const refused = await upload(bytes, { refusesMounts: true }, { mountFrom: "other" }, prepare);
  deepEqual([refused.result, methods(refused.registry)], ["uploaded", "POST PUT"]);
  const denied = failing(1, 403, (request) => request.url.includes("mount="));
  equal(
    methods((await upload(bytes, { intercept: denied }, { mountFrom: "other" }, prepare)).registry),
    "POST POST PUT",
  );
});

Deno.test("uploadBlob goes on with a chunk where the registry says it is", async () => {
  const unavailable = await upload(sampleBytes(250), { intercept: failing(1, 503, isChunk) });
  equal(methods(unavailable.registry), "POST PATCH GET PATCH PATCH PATCH PUT");
  equal(unavailable.opened, 1);
  // The registry takes the chunk, but its answer is lost.
  let isLost = false;
  const registry = fakeRegistry();
  const bytes = sampleBytes(250);
  using wired = wire(registryWorld(async (url, init) => {
    const response = await registry.fetch(url, init);
    if (init.method !== "PATCH" || isLost) return response;
    isLost = true;
    throw new TypeError("connection reset by peer");
  }));
  const descriptor = describe(MEDIA_TYPES.ociLayer, bytes);
  const source = { open: () => Promise.resolve(new Blob([bytes]).stream()) };
  await uploadBlob(wired.session(REPOSITORY, "push"), descriptor, source, { chunkBytes: 100 });
  equal(methods(registry), "POST PATCH GET PATCH PATCH PUT");
  deepEqual(registry.blobs.get(`a/b@${descriptor.digest}`), bytes);
});

Deno.test("uploadBlob starts again when the registry has forgotten the upload", async () => {
  let left = 1;
  const intercept = (request: Request): Response | undefined =>
    request.method === "PUT" && left-- > 0 ? new Response("", { status: 404 }) : undefined;
  const { registry, opened } = await upload(sampleBytes(150), { intercept });
  equal(methods(registry), "POST PATCH PATCH PUT HEAD POST PATCH PATCH PUT");
  equal(opened, 2);
});

Deno.test("uploadBlob sends one stream to a registry that takes no chunks", async () => {
  const { registry } = await upload(sampleBytes(250), { refusesChunks: true });
  equal(methods(registry), "POST PATCH POST PATCH PUT");
  equal(registry.seen[3]?.range, null);
});

Deno.test("uploadBlob sends chunks as large as the registry wants", async () => {
  const bytes = sampleBytes(250);
  const { digest } = describe(MEDIA_TYPES.ociLayer, bytes);
  const location = { location: "http://r.io/up?_state=s" };
  const scripted = scriptedFetch([
    {
      call: "POST https://r.io/v2/a/b/blobs/uploads/",
      answer: new Response("", { status: 202, headers: { ...location, "oci-chunk-min-length": "200" } }),
    },
    {
      call: "PATCH https://r.io/up?_state=s",
      headers: { "content-range": "0-199" },
      answer: new Response("", { status: 202, headers: { location: "/up2" } }),
    },
    {
      call: "PATCH https://r.io/up2",
      headers: { "content-range": "200-249" },
      answer: new Response("", { status: 202, headers: { location: "/up3?a=b" } }),
    },
    {
      call: `PUT https://r.io/up3?a=b&digest=${encodeURIComponent(digest)}`,
      answer: new Response("", { status: 201 }),
    },
  ]);
  using wired = wire(registryWorld(scripted.fetch));
  const source = { open: () => Promise.resolve(new Blob([bytes]).stream()) };
  await uploadBlob(wired.session(REPOSITORY, "push"), describe("x", bytes), source, { chunkBytes: 100 });
  scripted.finish();
});

Deno.test("uploadBlob throws what the registry or the source says, without trying again", async () => {
  await rejects(
    upload(sampleBytes(10), { intercept: failing(9, 403, (request) => request.method === "POST") }),
    (error: unknown) => error instanceof RegistryError && / to r.io\/a\/b: try later \(403\)$/.test(error.message),
  );
  using wired = wire(registryWorld(fakeRegistry().fetch));
  const source = { open: () => Promise.reject(new TypeError("file is gone")) };
  const descriptor = describe("x", sampleBytes(10));
  await rejects(uploadBlob(wired.session(REPOSITORY, "push"), descriptor, source), /file is gone/);
  const wrong = { open: () => Promise.resolve(new Blob([sampleBytes(10, 5)]).stream()) };
  await rejects(uploadBlob(wired.session(REPOSITORY, "push"), descriptor, wrong), /digest did not match \(400\)/);
});

Deno.test("probeUpload opens and cancels an upload", async () => {
  const registry = fakeRegistry();
  using wired = wire(registryWorld(registry.fetch));
  await probeUpload(wired.session(REPOSITORY, "push"));
  equal(methods(registry), "POST DELETE");
  const denied = fakeRegistry({ intercept: failing(1, 403, () => true) });
  using other = wire(registryWorld(denied.fetch));
  await rejects(probeUpload(other.session(REPOSITORY, "push")), (error: unknown) => {
    ok(error instanceof RegistryError);
    equal(error.message, "Cannot push to r.io/a/b: try later (403)");
    equal(error.code, "registry-auth");
    return true;
  });
});
