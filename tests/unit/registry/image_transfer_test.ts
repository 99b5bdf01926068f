import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DockerArchive } from "../../../src/image/docker_archive.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseImageName, type Reference } from "../../../src/oci/reference.ts";
import { findImage, transfer, type TransferServices } from "../../../src/registry/image_transfer.ts";
import { LocalImages } from "../../../src/registry/local_source.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../../src/registry/registry_options.ts";
import { errorResponse, type FakeRegistry, fakeRegistry } from "../../support/fake_registry.ts";
import { type RegistryWorld, registryWorld, wire, type Wired } from "../../support/registry_world.ts";
import { sampleImage, storeImage } from "../../support/sample_image.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const IMAGE = sampleImage();

interface Setup {
  readonly wired: Wired;
  readonly world: RegistryWorld;
  readonly services: TransferServices;
}

function setup(fake: FakeRegistry): Setup {
  const world = registryWorld(fake.fetch);
  const wired = wire(world);
  const { sleep, log, signal } = world.services;
  const services: TransferServices = {
    source: ({ registry, repository }: Reference) => wired.client({ registry, repository }, "pull"),
    locals: new LocalImages(),
    client: ({ registry, repository }) => wired.client({ registry, repository }, "push"),
    sleep,
    log,
    signal,
  };
  return { wired, world, services };
}

Deno.test("transfer moves an image from registry to archive and back with its config", async () => {
  await using folder = await makeTempDir();
  const fake = fakeRegistry();
  storeImage(fake, "a", "1", IMAGE);
  const { wired, services } = setup(fake);
  using _ = wired;
  const archive = parseImageName(`docker-archive://${folder.path}/a.tar`);
  const found = await findImage(parseImageName("r.io/a:1"), undefined, services);
  equal((await transfer(found, archive, DEFAULT_REGISTRY_OPTIONS, services)).digest, IMAGE.manifestDescriptor.digest);
  deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["a.tar"]);
  deepEqual((await DockerArchive.open(`${folder.path}/a.tar`)).images[0]?.names, ["r.io/a:1"]);
  const local = await findImage(archive, undefined, services);
  const back = await transfer(local, parseImageName("r.io/b:2"), DEFAULT_REGISTRY_OPTIONS, services);
  ok(fake.manifests.has(`b@${back.digest}`));
  ok(fake.blobs.has(`b@${IMAGE.configDescriptor.digest}`));
  for (const { descriptor } of IMAGE.layers) equal(fake.blobs.has(`b@${descriptor.digest}`), false, "compressed");
});

Deno.test("transfer leaves no half archive when a layer cannot be had", async () => {
  await using folder = await makeTempDir();
  const fake = fakeRegistry();
  storeImage(fake, "a", "1", IMAGE);
  fake.blobs.delete(`a@${IMAGE.manifest.layers[1]?.digest}`);
  const { wired, services } = setup(fake);
  using _ = wired;
  const found = await findImage(parseImageName("r.io/a:1"), undefined, services);
  const to = parseImageName(`docker-archive://${folder.path}/a.tar`);
  await rejects(transfer(found, to, DEFAULT_REGISTRY_OPTIONS, services), /blob unknown/);
  deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("transfer tries again as often as it is told, and leaves immutable tags when it may", async () => {
  let failures = 5;
  const fake = fakeRegistry({
    intercept: (request) => {
      if (request.method !== "PUT" || !request.url.includes("/manifests/")) return undefined;
      if (request.url.endsWith("/fixed")) return errorResponse(400, "TAG_INVALID", "tag is immutable");
      return failures-- > 0 ? errorResponse(503, "UNAVAILABLE", "later") : undefined;
    },
  });
  storeImage(fake, "a", "1", IMAGE);
  const { wired, services, world } = setup(fake);
  using _ = wired;
  const found = await findImage(parseImageName("r.io/a:1"), parsePlatform("linux/amd64"), services);
  const options = { ...DEFAULT_REGISTRY_OPTIONS, pushRetry: 1 };
  await transfer(found, parseImageName("r.io/b:1"), options, services);
  ok(fake.manifests.has("b:1"));
  ok(world.logged.some((line) => line.includes("trying again")));
  await rejects(transfer(found, parseImageName("r.io/b:fixed"), options, services), /immutable/);
  await transfer(found, parseImageName("r.io/b:fixed"), { ...options, ignoreImmutableTagErrors: true }, services);
  ok(world.logged.some((line) => line.includes("left as it is")));
});

Deno.test("findImage says what is missing", async () => {
  const { wired, services } = setup(fakeRegistry());
  using _ = wired;
  await rejects(findImage(parseImageName("r.io/a:1"), undefined, services), /Cannot read r\.io\/a:1: manifest unknown/);
});
