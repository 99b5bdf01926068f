/** The suite on an image layout, on the registry of the unit tests and on a real one. */
import { OciLayout } from "../../src/blob/oci_layout.ts";
import { createRegistry } from "../../src/registry/registry.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../src/registry/registry_options.ts";
import { systemRegistryServices } from "../../src/registry/registry_services.ts";
import { fakeRegistry } from "../support/fake_registry.ts";
import { startRegistry } from "../support/registry_process.ts";
import { recordingLogger, registryWorld, wire } from "../support/registry_world.ts";
import { ensurePackages } from "../support/set_up.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { cacheStoreSuite } from "./cache_store_suite.ts";

cacheStoreSuite("image layout", async () => {
  const folder = await makeTempDir();
  const store = await OciLayout.open(`${folder.path}/cache`);
  return { store, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
});

cacheStoreSuite("registry in memory", () => {
  const wired = wire(registryWorld(fakeRegistry().fetch));
  const store = wired.client({ registry: "r.test", repository: "app/cache" }, "push");
  return Promise.resolve({
    store,
    [Symbol.asyncDispose]: (): Promise<void> => Promise.resolve(wired[Symbol.dispose]()),
  });
});

cacheStoreSuite("docker-registry", async () => {
  await ensurePackages();
  const process = await startRegistry();
  const signal = new AbortController().signal;
  const services = systemRegistryServices({ log: recordingLogger([]), env: {}, credentialPaths: [], signal });
  const options = { ...DEFAULT_REGISTRY_OPTIONS, insecure: true, insecurePull: true };
  const registry = createRegistry(options, services);
  return {
    store: registry.repository({ registry: process.host, repository: "app/cache" }, "push"),
    async [Symbol.asyncDispose](): Promise<void> {
      registry[Symbol.dispose]();
      await process[Symbol.asyncDispose]();
    },
  };
});
