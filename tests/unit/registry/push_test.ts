import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import {
  checkPush,
  type PushableImage,
  type PushedImage,
  pushImage,
  type PushServices,
} from "../../../src/registry/push.ts";
import type { RegistryClient } from "../../../src/registry/client.ts";
import { RegistryAuthError } from "../../../src/registry/registry_error.ts";
import {
  DEFAULT_REGISTRY_OPTIONS,
  type RegistryOptions,
  type Repository,
} from "../../../src/registry/registry_options.ts";
import { errorResponse, failing, type FakeRegistry, fakeRegistry } from "../../support/fake_registry.ts";
import { type RegistryWorld, registryWorld, wire } from "../../support/registry_world.ts";
import { sampleBytes, sampleImage } from "../../support/sample_image.ts";

const IMAGE = sampleImage();

interface Setup extends Disposable {
  readonly world: RegistryWorld;
  readonly services: PushServices;
  push(image: PushableImage, ...references: string[]): Promise<readonly PushedImage[]>;
}

function setup(
  registry: FakeRegistry,
  options: Partial<RegistryOptions> = {},
  holders: readonly Repository[] = [],
): Setup {
  const world = registryWorld(registry.fetch);
  const wired = wire(world, options);
  const clients = new Map<string, RegistryClient>();
  const client = (repository: Repository): RegistryClient => {
    const key = `${repository.registry}/${repository.repository}`;
    const made = clients.get(key) ?? wired.client(repository, "push");
    clients.set(key, made);
    return made;
  };
  const { sleep, log, signal } = world.services;
  const services = { client, repositoriesWith: () => holders, sleep, log, signal };
  const all = { ...DEFAULT_REGISTRY_OPTIONS, ...options };
  return {
    world,
    services,
    push: (image, ...references) => pushImage(image, references.map(parseReference), all, services),
    [Symbol.dispose]: () => wired[Symbol.dispose](),
  };
}

Deno.test("pushImage sends blobs, then the manifest, and gives the digest", async () => {
  const registry = fakeRegistry();
  using set = setup(registry);
  const [pushed] = await set.push(IMAGE, "r.io/a/b:1");
  deepEqual(pushed, { reference: parseReference("r.io/a/b:1"), digest: IMAGE.manifestDescriptor.digest });
  equal(registry.blobs.size, 3);
  deepEqual(registry.manifests.get("a/b:1")?.bytes, IMAGE.manifestBytes);
  equal(registry.calls().at(-1), "PUT /v2/a/b/manifests/1");
  equal(registry.calls().filter((call) => call.includes("manifests")).length, 1);
});

Deno.test("pushImage mounts for a second repository and sends nothing for a second tag", async () => {
  const registry = fakeRegistry();
  using set = setup(registry);
  await set.push(IMAGE, "r.io/a/b:1", "r.io/a/c:1", "r.io/a/c:2");
  const later = registry.calls().slice(registry.calls().indexOf("PUT /v2/a/b/manifests/1") + 1);
  const posts = later.filter((call) => call.startsWith("POST"));
  equal(posts.length, 3);
  ok(posts.every((call) => call.includes("&from=a%2Fb")), posts.join());
  deepEqual(later.slice(-2), ["PUT /v2/a/c/manifests/1", "PUT /v2/a/c/manifests/2"]);
  equal(registry.blobs.size, 6);
});

Deno.test("pushImage mounts what the base image's repository holds, never from another registry", async () => {
  const registry = fakeRegistry();
  for (const { descriptor } of IMAGE.layers) registry.blobs.set(`base@${descriptor.digest}`, new Uint8Array());
  const unread = IMAGE.layers.map(({ descriptor }) => ({
    descriptor,
    source: { open: () => Promise.reject(new TypeError("must not be read")) },
  }));
  const holders = [{ registry: "other.io", repository: "x" }, { registry: "r.io", repository: "base" }];
  using set = setup(registry, {}, holders);
  await set.push({ ...IMAGE, layers: unread }, "r.io/a/b:1");
  ok(registry.manifests.has("a/b:1"));
});

Deno.test("pushImage leaves foreign layers out and sends equal layers once", async () => {
  const registry = fakeRegistry();
  using set = setup(registry);
  const [layer] = IMAGE.layers;
  ok(layer !== undefined);
  const foreign = { ...layer, descriptor: { ...layer.descriptor, mediaType: MEDIA_TYPES.ociForeignLayer } };
  await set.push({ ...IMAGE, layers: [foreign] }, "r.io/a/b:1");
  equal(registry.blobs.size, 1);
  await set.push({ ...IMAGE, layers: [layer, layer, layer] }, "r.io/a/b:2");
  equal(registry.calls().filter((call) => call.startsWith("HEAD") && call.endsWith(layer.descriptor.digest)).length, 1);
});

Deno.test("pushImage moves no tag when a blob fails", async () => {
  const registry = fakeRegistry();
  using set = setup(registry);
  const broken = {
    descriptor: IMAGE.layers[0]?.descriptor ?? IMAGE.configDescriptor,
    source: {
      open: () => Promise.reject(new TypeError("file is gone")),
    },
  };
  await rejects(set.push({ ...IMAGE, layers: [broken] }, "r.io/a/b:1"), /file is gone/);
  equal(registry.manifests.size, 0);
});

Deno.test("pushImage tries a destination again as often as it is told", async () => {
  const isManifest = (request: Request): boolean => request.method === "PUT" && request.url.includes("/manifests/");
  const once = fakeRegistry({ intercept: failing(4, 503, isManifest) });
  using set = setup(once);
  await rejects(set.push(IMAGE, "r.io/a/b:1"), /Cannot push r.io\/a\/b:1: try later \(503\)/);
  const twice = fakeRegistry({ intercept: failing(4, 503, isManifest) });
  using patient = setup(twice, { pushRetry: 1 });
  await patient.push(IMAGE, "r.io/a/b:1");
  ok(twice.manifests.has("a/b:1"));
});

Deno.test("pushImage counts a tag that must not move as pushed only when it is told so", async () => {
  const intercept = (request: Request): Response | undefined =>
    request.method === "PUT" && request.url.includes("/manifests/")
      ? errorResponse(
        400,
        "TAG_INVALID",
        "The image tag '1' already exists and cannot be overwritten because the repository is immutable.",
      )
      : undefined;
  using strict = setup(fakeRegistry({ intercept }));
  await rejects(strict.push(IMAGE, "r.io/a/b:1"), /immutable/);
  using lax = setup(fakeRegistry({ intercept }), { ignoreImmutableTagErrors: true });
  equal((await lax.push(IMAGE, "r.io/a/b:1")).length, 1);
  ok(lax.world.logged.some((line) => line.startsWith("warn r.io/a/b:1 exists")));
});

Deno.test("pushImage moves at most so many blobs at a time", async () => {
  let running = 0;
  let most = 0;
  const registry = fakeRegistry();
  const fetch = registry.fetch;
  const counting: FakeRegistry = {
    ...registry,
    fetch: async (url, init) => {
      most = Math.max(most, ++running);
      try {
        return await fetch(url, init);
      } finally {
        running--;
      }
    },
  };
  using set = setup(counting, { concurrency: 2 });
  await set.push(sampleImage([1, 2, 3, 4, 5].map((seed) => sampleBytes(10, seed))), "r.io/a/b:1");
  equal(most, 2);
});

Deno.test("checkPush asks once for each repository", async () => {
  const registry = fakeRegistry();
  using set = setup(registry);
  await checkPush(["r.io/a/b:1", "r.io/a/b:2", "r.io/c:1"].map(parseReference), set.services);
  equal(registry.calls().filter((call) => call.startsWith("POST")).length, 2);
  using denied = setup(fakeRegistry({ auth: { kind: "basic", username: "u", password: "p" } }));
  await rejects(checkPush([parseReference("r.io/a:1")], denied.services), (error: unknown) => {
    ok(error instanceof RegistryAuthError);
    ok(error.hint?.startsWith("No credentials for r.io were found"));
    return true;
  });
});
