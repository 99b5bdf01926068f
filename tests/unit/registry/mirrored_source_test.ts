import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { MirroredSource } from "../../../src/registry/mirrored_source.ts";
import { type FakeRegistry, fakeRegistry } from "../../support/fake_registry.ts";
import { type RegistryWorld, registryWorld, wire, type Wired } from "../../support/registry_world.ts";
import { sampleImage, storeImage } from "../../support/sample_image.ts";

const IMAGE = sampleImage();

function setup(registries: Readonly<Record<string, FakeRegistry>>): {
  readonly wired: Wired;
  readonly world: RegistryWorld;
  readonly source: MirroredSource;
} {
  const world = registryWorld((url, init) => {
    const registry = registries[new URL(url).host];
    return registry === undefined ? Promise.reject(new TypeError("no such host")) : registry.fetch(url, init);
  });
  const wired = wire(world);
  const clients = ["first.io", "second.io"].map((registry) => wired.client({ registry, repository: "a" }, "pull"));
  return { wired, world, source: new MirroredSource(clients, world.services) };
}

Deno.test("MirroredSource reads from the first that has the manifest, and its blobs from there", async () => {
  const first = fakeRegistry();
  const second = fakeRegistry();
  storeImage(second, "a", "1", IMAGE);
  const { wired, source } = setup({ "first.io": first, "second.io": second });
  using _ = wired;
  equal((await source.getManifest("1"))?.digest, IMAGE.manifestDescriptor.digest);
  const bytes = await new Response(await source.open(IMAGE.configDescriptor)).arrayBuffer();
  equal(bytes.byteLength, IMAGE.configDescriptor.size);
  deepEqual(first.calls(), ["GET /v2/a/manifests/1"]);
  equal(await source.getManifest("2"), undefined);
});

Deno.test("MirroredSource warns of a source that fails, and throws the last failure", async () => {
  const second = fakeRegistry();
  storeImage(second, "a", "1", IMAGE);
  const { wired, source, world } = setup({ "second.io": second });
  using _ = wired;
  ok(await source.getManifest("1"));
  ok(world.logged.some((line) => /^warn .*first\.io.*trying the next source/.test(line)));
  const none = setup({});
  using __ = none.wired;
  await rejects(none.source.getManifest("1"), /second\.io/);
  await rejects(none.source.open(IMAGE.configDescriptor), /second\.io/);
});
