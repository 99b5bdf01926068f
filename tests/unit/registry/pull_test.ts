import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { IntegrityError } from "../../../src/blob/verify_stream.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { manifestBytes } from "../../../src/oci/manifest.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { type BaseImages, createBaseResolver } from "../../../src/registry/pull.ts";
import { DEFAULT_REGISTRY_OPTIONS, type RegistryOptions } from "../../../src/registry/registry_options.ts";
import type { FetchLike } from "../../../src/registry/registry_services.ts";
import { failing, type FakeRegistry, fakeRegistry } from "../../support/fake_registry.ts";
import { type RegistryWorld, registryWorld, wire } from "../../support/registry_world.ts";
import { describe, sampleBytes, sampleImage, storeImage, storeManifest } from "../../support/sample_image.ts";

const AMD64 = parsePlatform("linux/amd64");
const IMAGE = sampleImage();
const REFERENCE = parseReference("r.io/a/b:1");

interface Setup extends Disposable {
  readonly images: BaseImages;
  readonly world: RegistryWorld;
}

function setup(fetch: FetchLike, options: Partial<RegistryOptions> = {}): Setup {
  const world = registryWorld(fetch);
  const wired = wire(world, options);
  const { sleep, log, signal } = world.services;
  const services = {
    client: (name: Parameters<typeof wired.client>[0]) => wired.client(name, "pull"),
    sleep,
    log,
    signal,
  };
  return {
    images: createBaseResolver({ ...DEFAULT_REGISTRY_OPTIONS, ...options }, services),
    world,
    [Symbol.dispose]: () => wired[Symbol.dispose](),
  };
}

/** Several registries behind one fetch, by host; hosts that are not there drop the connection. */
function hosts(registries: Readonly<Record<string, FakeRegistry>>): FetchLike {
  return (url, init) => {
    const registry = registries[new URL(url).host];
    return registry === undefined ? Promise.reject(new TypeError("no such host")) : registry.fetch(url, init);
  };
}

Deno.test("createBaseResolver resolves a tag to verified manifest and config, once", async () => {
  const registry = fakeRegistry();
  storeImage(registry, "a/b", "1", IMAGE);
  using set = setup(registry.fetch);
  const [image, again] = await Promise.all([1, 2].map(() => set.images.resolve(REFERENCE, AMD64)));
  equal(image, again);
  deepEqual(image?.manifest, IMAGE.manifest);
  deepEqual(image?.manifestDescriptor, IMAGE.manifestDescriptor);
  equal(image?.digest, IMAGE.manifestDescriptor.digest);
  deepEqual(image?.config.rootfs.diff_ids, IMAGE.diffIds);
  equal(registry.seen.length, 2);
});

Deno.test("createBaseResolver goes through an index, and layers can be read more than once", async () => {
  const registry = fakeRegistry();
  const arm = sampleImage([sampleBytes(20, 9)], parsePlatform("linux/arm64"));
  storeImage(registry, "a/b", "amd", IMAGE);
  storeImage(registry, "a/b", "arm", arm);
  const manifests = [
    { ...IMAGE.manifestDescriptor, platform: AMD64 },
    { ...arm.manifestDescriptor, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
  ];
  const index = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
  storeManifest(registry, "a/b", "1", MEDIA_TYPES.ociIndex, index);
  using set = setup(registry.fetch);
  const image = await set.images.resolve(REFERENCE, parsePlatform("linux/arm64"));
  equal(image.digest, arm.manifestDescriptor.digest);
  equal((await set.images.resolve(REFERENCE, AMD64)).digest, IMAGE.manifestDescriptor.digest);
  const [layer] = image.manifest.layers;
  ok(layer !== undefined);
  for (let i = 0; i < 2; i++) {
    deepEqual(await new Response(await set.images.layerSource(image).open(layer)).bytes(), arm.layerBytes[0]);
  }
  const [holder] = set.images.repositoriesWith(layer.digest);
  deepEqual([holder?.registry, holder?.repository], ["r.io", "a/b"]);
  await rejects(set.images.resolve(REFERENCE, parsePlatform("linux/s390x")), /it has linux\/amd64, linux\/arm64/);
});

Deno.test("createBaseResolver takes the first mirror that has the image, then the registry itself", async () => {
  const [empty, origin] = [fakeRegistry(), fakeRegistry()];
  storeImage(origin, "a/b", "1", IMAGE);
  const registryMaps = new Map([["r.io", ["down.io", "empty.io/proxy"]]]);
  const fetch = hosts({ "empty.io": empty, "r.io": origin });
  using set = setup(fetch, { registryMaps });
  const image = await set.images.resolve(REFERENCE, AMD64);
  equal(empty.calls()[0], "GET /v2/proxy/a/b/manifests/1");
  equal(set.world.logged.filter((line) => line.startsWith("warn Cannot pull")).length, 2);
  const before = empty.seen.length;
  const [layer] = image.manifest.layers;
  ok(layer !== undefined);
  await (await set.images.layerSource(image).open(layer)).cancel();
  equal(empty.seen.length, before);

  using strict = setup(fetch, { registryMaps, skipDefaultRegistryFallback: true });
  await rejects(
    strict.images.resolve(REFERENCE, AMD64),
    /^RegistryError: Cannot pull empty.io\/proxy\/a\/b:1: manifest unknown \(404\)$/,
  );
});

Deno.test("createBaseResolver forgets failures and retries as often as it is told", async () => {
  const registry = fakeRegistry({ intercept: failing(5, 503, () => true) });
  storeImage(registry, "a/b", "1", IMAGE);
  using set = setup(registry.fetch);
  await rejects(set.images.resolve(REFERENCE, AMD64), /try later \(503\)/);
  equal((await set.images.resolve(REFERENCE, AMD64)).digest, IMAGE.manifestDescriptor.digest);

  const slow = fakeRegistry({ intercept: failing(5, 503, () => true) });
  storeImage(slow, "a/b", "1", IMAGE);
  using patient = setup(slow.fetch, { imageDownloadRetry: 1 });
  equal((await patient.images.resolve(REFERENCE, AMD64)).digest, IMAGE.manifestDescriptor.digest);
  ok(patient.world.sleptMs.includes(1000));
});

Deno.test("createBaseResolver refuses broken images with the reference in the message", async () => {
  const cases: readonly [break_: (registry: FakeRegistry) => void, message: RegExp][] = [
    [(registry) => registry.manifests.clear(), /Cannot pull r.io\/a\/b:1: manifest unknown \(404\)/],
    [
      (registry) => storeManifest(registry, "a/b", "1", MEDIA_TYPES.ociManifest, new TextEncoder().encode("{}")),
      /Cannot pull r.io\/a\/b:1: Cannot read manifest: schema version none/,
    ],
    [
      (registry) => {
        const bytes = manifestBytes({ ...IMAGE.manifest, layers: IMAGE.manifest.layers.slice(1) });
        storeManifest(registry, "a/b", "1", MEDIA_TYPES.ociManifest, bytes);
      },
      /its config names 2 layers, its manifest 1/,
    ],
    [
      (registry) => {
        const text = new TextEncoder().encode("{}");
        const config = describe(MEDIA_TYPES.ociConfig, text);
        registry.blobs.set(`a/b@${config.digest}`, text);
        storeManifest(registry, "a/b", "1", MEDIA_TYPES.ociManifest, manifestBytes({ ...IMAGE.manifest, config }));
      },
      /Cannot pull r.io\/a\/b:1: Cannot read image config/,
    ],
    [
      (registry) => {
        const config = { ...IMAGE.manifest.config, size: 2 ** 40 };
        storeManifest(registry, "a/b", "1", MEDIA_TYPES.ociManifest, manifestBytes({ ...IMAGE.manifest, config }));
      },
      /its config has 1099511627776 bytes/,
    ],
  ];
  for (const [break_, message] of cases) {
    const registry = fakeRegistry();
    storeImage(registry, "a/b", "1", IMAGE);
    break_(registry);
    using set = setup(registry.fetch);
    await rejects(set.images.resolve(REFERENCE, AMD64), message);
  }
  const registry = fakeRegistry();
  storeImage(registry, "a/b", "1", IMAGE);
  registry.blobs.set(`a/b@${IMAGE.configDescriptor.digest}`, sampleBytes(IMAGE.configDescriptor.size));
  using set = setup(registry.fetch);
  await rejects(set.images.resolve(REFERENCE, AMD64), IntegrityError);
});

Deno.test("createBaseResolver refuses an index that contains itself for ever, and warns of a wrong platform", async () => {
  const registry = fakeRegistry();
  storeImage(registry, "a/b", "1", IMAGE);
  let entry = { ...IMAGE.manifestDescriptor, platform: AMD64 };
  for (let depth = 0; depth < 5; depth++) {
    const index = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [entry] });
    storeManifest(registry, "a/b", "deep", MEDIA_TYPES.ociIndex, index);
    entry = { ...describe(MEDIA_TYPES.ociIndex, index), platform: AMD64 };
  }
  using set = setup(registry.fetch);
  await rejects(set.images.resolve(parseReference("r.io/a/b:deep"), AMD64), /nested more than 3 deep/);
  await set.images.resolve(REFERENCE, parsePlatform("linux/arm64"));
  deepEqual(set.world.logged, ["warn r.io/a/b:1 is for linux/amd64, not for linux/arm64"]);
});
