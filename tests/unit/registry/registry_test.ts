import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { createRegistry } from "../../../src/registry/registry.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../../src/registry/registry_options.ts";
import { AWS_SECRETS, ECR_PASSWORD, ecrAnswer, signedAws } from "../../support/fake_clouds.ts";
import { fakeRegistry } from "../../support/fake_registry.ts";
import { registryWorld } from "../../support/registry_world.ts";
import { sampleBytes, sampleImage, storeImage } from "../../support/sample_image.ts";

const LOGIN = { readTextFile: () => Promise.resolve(JSON.stringify({ auths: { "127.0.0.1": {} } })) };

Deno.test("createRegistry pulls with a token, and pushes on top by mounting, over a real socket", async () => {
  const fake = fakeRegistry({ auth: { kind: "token", username: "u", password: "p" } });
  const base = sampleImage([sampleBytes(300_000)]);
  storeImage(fake, "library/base", "1", base);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, fake.handle);
  const host = `127.0.0.1:${server.addr.port}`;
  const auths = { [host]: { auth: btoa("u:p") } };
  const world = registryWorld((url, init) => fetch(url, init), {
    credentialPaths: ["/c.json"],
    readTextFile: () => Promise.resolve(JSON.stringify({ auths })),
  });
  {
    using registry = createRegistry(DEFAULT_REGISTRY_OPTIONS, world.services, { userAgent: "kiln/1" });
    const reference = parseReference(`${host}/library/base:1`);
    const destination = parseReference(`${host}/app:1`);
    await registry.checkPush([destination]);
    const image = await registry.resolver.resolve(reference, parsePlatform("linux/amd64"));
    const source = registry.layerSource(image);
    const app = sampleImage([...base.layerBytes, sampleBytes(10, 3)]);
    const layers = app.layers.map((layer, index) => index === 0 ? { ...layer, source } : layer);
    deepEqual(await registry.push({ ...app, layers }, [destination]), [
      { reference: destination, digest: app.manifestDescriptor.digest },
    ]);
    const [layer] = image.manifest.layers;
    ok(layer !== undefined);
    ok(fake.calls().some((call) => call.startsWith("POST /v2/app/blobs/uploads/?mount=")));
    equal(fake.calls().some((call) => call === `GET /v2/library/base/blobs/${layer.digest}`), false);
    const store = registry.repository({ registry: host, repository: "app" }, "pull");
    equal((await store.getManifest("1"))?.digest, app.manifestDescriptor.digest);
    equal(new Set(fake.seen.map(({ userAgent }) => userAgent)).size, 1);
    equal(fake.seen[0]?.userAgent, "kiln/1");
  }
  await server.shutdown();
});

Deno.test("createRegistry reads and calls nothing before it is used", () => {
  let touched = 0;
  const world = registryWorld(() => Promise.reject(new TypeError("called")), {
    ...LOGIN,
    readTextFile: () => {
      touched++;
      return LOGIN.readTextFile();
    },
  });
  using registry = createRegistry(DEFAULT_REGISTRY_OPTIONS, world.services);
  ok(registry.resolver !== undefined);
  equal(touched, 0);
});

Deno.test("createRegistry logs in to a cloud's registry by itself, and says what failed when it is told not to", async () => {
  const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  const fake = fakeRegistry({ auth: { kind: "basic", username: "AWS", password: ECR_PASSWORD } });
  storeImage(fake, "app", "1", sampleImage());
  const clouds = signedAws("ecr", "eu-west-1", () => ecrAnswer(1_800_043_200));
  const world = registryWorld(
    async (url, init) => {
      const { client: _client, ...plain } = init;
      return url.startsWith("https://api.ecr.") ? await clouds(new Request(url, plain)) : await fake.fetch(url, init);
    },
    { env: { AWS_ACCESS_KEY_ID: "AKIASTATIC", AWS_SECRET_ACCESS_KEY: AWS_SECRETS.AKIASTATIC ?? "" } },
  );
  const wanted = [parseReference(`${host}/app:1`), parsePlatform("linux/amd64")] as const;
  using registry = createRegistry(DEFAULT_REGISTRY_OPTIONS, world.services);
  equal((await registry.resolver.resolve(...wanted)).manifest.layers.length, 2);
  const credentialHelpers = new Set(["env"] as const);
  using without = createRegistry({ ...DEFAULT_REGISTRY_OPTIONS, credentialHelpers }, world.services);
  await rejects(without.resolver.resolve(...wanted), { name: "RegistryAuthError", hint: /No credentials for 1234/ });
  using wrong = createRegistry(DEFAULT_REGISTRY_OPTIONS, {
    ...world.services,
    env: { ...world.services.env, AWS_SECRET_ACCESS_KEY: "wrong" },
  });
  await rejects(wrong.resolver.resolve(...wanted), { hint: /were found.*\(Cannot get a login of Amazon ECR/ });
});
