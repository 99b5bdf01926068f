import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { IntegrityError } from "../../../src/blob/verify_stream.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { type FakeRegistry, fakeRegistry, type FakeRegistryKnobs } from "../../support/fake_registry.ts";
import { registryWorld, wire, type Wired } from "../../support/registry_world.ts";
import { sampleImage, storeImage } from "../../support/sample_image.ts";

const REPOSITORY = { registry: "r.io", repository: "a/b" };
const IMAGE = sampleImage();

function setup(knobs: FakeRegistryKnobs = {}): { registry: FakeRegistry; wired: Wired } {
  const registry = fakeRegistry(knobs);
  return { registry, wired: wire(registryWorld(registry.fetch)) };
}

Deno.test("RegistryClient stores and gives back blobs and manifests", async () => {
  const { registry, wired } = setup();
  using _ = wired;
  const client = wired.client(REPOSITORY, "push");
  const [layer] = IMAGE.layers;
  ok(layer !== undefined);
  equal(await client.has(layer.descriptor), false);
  await client.put(layer.descriptor, layer.source);
  equal(await client.has(layer.descriptor), true);
  deepEqual(await new Response(await client.open(layer.descriptor)).bytes(), IMAGE.layerBytes[0]);
  equal(await client.has({ ...layer.descriptor, size: 5 }), false);

  const { mediaType, digest } = IMAGE.manifestDescriptor;
  equal(await client.getManifest("1"), undefined);
  equal(await client.headManifest("1"), undefined);
  await client.putManifest("1", { mediaType, digest, bytes: IMAGE.manifestBytes });
  for (const name of ["1", digest]) {
    deepEqual(await client.getManifest(name), { mediaType, digest, bytes: IMAGE.manifestBytes });
    deepEqual(await client.headManifest(name), IMAGE.manifestDescriptor);
  }
  equal(registry.manifests.size, 2);
});

Deno.test("RegistryClient.putBlob looks before it sends, and sends equal blobs once", async () => {
  const { registry, wired } = setup();
  using _ = wired;
  const client = wired.client(REPOSITORY, "push");
  const [layer] = IMAGE.layers;
  ok(layer !== undefined);
  const put = (): Promise<string> => client.putBlob(layer.descriptor, layer.source);
  deepEqual(await Promise.all([put(), put()]), ["uploaded", "uploaded"]);
  equal(registry.seen.map(({ method }) => method).join(" "), "HEAD POST PUT");
  equal(await wired.client(REPOSITORY, "push").putBlob(layer.descriptor, layer.source), "present");
});

Deno.test("RegistryClient.putBlob can be called again after a failure", async () => {
  let isDown = true;
  const { wired } = setup({
    intercept: (request) => isDown && request.method === "POST" ? new Response("", { status: 403 }) : undefined,
  });
  using _ = wired;
  const client = wired.client(REPOSITORY, "push");
  const [layer] = IMAGE.layers;
  ok(layer !== undefined);
  await rejects(client.putBlob(layer.descriptor, layer.source), /access denied \(403\)/);
  isDown = false;
  equal(await client.putBlob(layer.descriptor, layer.source), "uploaded");
});

Deno.test("RegistryClient throws IntegrityError when digests do not agree", async () => {
  const wrongDigest = sha256(new Uint8Array());
  const lying = setup({ wrongDigest });
  using _ = lying.wired;
  storeImage(lying.registry, "a/b", "1", IMAGE);
  const client = lying.wired.client(REPOSITORY, "pull");
  await rejects(client.getManifest("1"), IntegrityError);
  const { mediaType, digest } = IMAGE.manifestDescriptor;
  await rejects(client.putManifest("2", { mediaType, digest, bytes: IMAGE.manifestBytes }), IntegrityError);

  const swapped = setup();
  using __ = swapped.wired;
  swapped.registry.manifests.set(`a/b@${digest}`, { mediaType, bytes: new TextEncoder().encode("{}") });
  await rejects(swapped.wired.client(REPOSITORY, "pull").getManifest(digest), (error: unknown) => {
    ok(error instanceof IntegrityError);
    equal(error.facts.expectedDigest, digest);
    return true;
  });
});

Deno.test("RegistryClient.checkPush asks without leaving anything", async () => {
  const { registry, wired } = setup();
  using _ = wired;
  await wired.client(REPOSITORY, "push").checkPush();
  equal(registry.blobs.size, 0);
  equal(registry.calls()[0], "POST /v2/a/b/blobs/uploads/");
});

Deno.test("RegistryClient asks for every kind of manifest that is understood", async () => {
  let accept: string | null = null;
  const { wired } = setup({
    intercept: (request) => {
      accept = request.headers.get("accept");
      return undefined;
    },
  });
  using _ = wired;
  await wired.client(REPOSITORY, "pull").getManifest("1");
  const types = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerIndex, MEDIA_TYPES.dockerManifest];
  equal(accept, types.join(", "));
});
