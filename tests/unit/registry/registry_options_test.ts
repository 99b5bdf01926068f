import { deepEqual, equal } from "node:assert/strict";
import { parseRegistriesConf } from "../../../src/registry/registries_conf.ts";
import {
  DEFAULT_REGISTRY_OPTIONS,
  hostPolicy,
  isLoopback,
  pullSources,
  type Purpose,
  type RegistryOptions,
} from "../../../src/registry/registry_options.ts";

Deno.test("hostPolicy chooses scheme and verification from the options", () => {
  const clientCertificate = { certificatePath: "c", keyPath: "k" };
  const cases: readonly [
    changes: Partial<RegistryOptions>,
    host: string,
    purpose: Purpose,
    expected: { scheme: string; verifiesTls: boolean },
  ][] = [
    [{}, "r.io", "pull", { scheme: "https", verifiesTls: true }],
    [{}, "localhost:5000", "push", { scheme: "http", verifiesTls: true }],
    [{ insecure: true }, "r.io", "push", { scheme: "http", verifiesTls: true }],
    [{ insecure: true }, "r.io", "pull", { scheme: "https", verifiesTls: true }],
    [{ insecurePull: true }, "r.io", "pull", { scheme: "http", verifiesTls: true }],
    [{ insecureRegistries: new Set(["r.io:1"]) }, "r.io:1", "pull", { scheme: "http", verifiesTls: true }],
    [{ insecureRegistries: new Set(["r.io:1"]) }, "r.io", "pull", { scheme: "https", verifiesTls: true }],
    [{ skipTlsVerify: true }, "r.io", "pull", { scheme: "https", verifiesTls: false }],
    [{ skipTlsVerifyPull: true }, "r.io", "pull", { scheme: "https", verifiesTls: false }],
    [{ skipTlsVerifyPull: true }, "r.io", "push", { scheme: "https", verifiesTls: true }],
    [{ skipTlsVerifyRegistries: new Set(["127.0.0.1"]) }, "127.0.0.1", "push", { scheme: "https", verifiesTls: false }],
  ];
  for (const [changes, host, purpose, expected] of cases) {
    deepEqual(hostPolicy({ ...DEFAULT_REGISTRY_OPTIONS, ...changes }, host, purpose), expected, `${host} ${purpose}`);
  }
  const named = {
    ...DEFAULT_REGISTRY_OPTIONS,
    registryCertificates: new Map([["localhost:1", "ca.pem"]]),
    registryClientCerts: new Map([["localhost:1", clientCertificate]]),
  };
  deepEqual(hostPolicy(named, "localhost:1", "pull"), {
    scheme: "https",
    verifiesTls: true,
    certificatePath: "ca.pem",
    clientCertificate,
  });
});

Deno.test("isLoopback knows this machine's names and no look-alikes", () => {
  for (const host of ["localhost", "localhost:1", "127.0.0.1", "127.9.9.9:5", "[::1]:5000"]) {
    equal(isLoopback(host), true);
  }
  for (const host of ["localhost.evil.io", "127.0.0.1.evil.io", "128.0.0.1", "[::2]", "r.io"]) {
    equal(isLoopback(host), false, host);
  }
});

Deno.test("pullSources puts mirrors with their prefix before the registry itself", () => {
  const hub = { registry: "index.docker.io", repository: "library/debian" };
  const options = {
    ...DEFAULT_REGISTRY_OPTIONS,
    registryMaps: new Map([["index.docker.io", ["m1.io:5000", "https://m2.io/some/prefix/", "docker.io"]]]),
  };
  deepEqual(pullSources(options, hub), [
    { registry: "m1.io:5000", repository: "library/debian" },
    { registry: "m2.io", repository: "some/prefix/library/debian" },
    { registry: "index.docker.io", repository: "library/debian" },
    hub,
  ]);
  equal(pullSources({ ...options, skipDefaultRegistryFallback: true }, hub).length, 3);
  const other = { registry: "r.io", repository: "x" };
  deepEqual(pullSources({ ...options, skipDefaultRegistryFallback: true }, other), [other]);
});

Deno.test("pullSources knows domains, all hosts, and the host's name in a mirror", () => {
  const registryMaps = new Map([
    ["*", ["all.local/*"]],
    ["*.corp.example", ["corp.local"]],
    ["r.corp.example", ["r.local/x"]],
  ]);
  const options = { ...DEFAULT_REGISTRY_OPTIONS, registryMaps, skipDefaultRegistryFallback: true };
  const cases: readonly [registry: string, expected: string][] = [
    ["index.docker.io", "all.local/docker.io/a"],
    ["gcr.io", "all.local/gcr.io/a"],
    ["corp.example", "all.local/corp.example/a"],
    ["evilcorp.example", "all.local/evilcorp.example/a"],
    ["x.corp.example:5000", "corp.local/a"],
    ["a.b.corp.example", "corp.local/a"],
    ["r.corp.example", "r.local/x/a"],
  ];
  for (const [registry, expected] of cases) {
    const sources = pullSources(options, { registry, repository: "a" });
    deepEqual(sources.map((source) => `${source.registry}/${source.repository}`), [expected], registry);
  }
});

Deno.test("pullSources takes registries.conf for hosts without a map, and leaves out the origin when told", () => {
  const conf = parseRegistriesConf('[[registry]]\nlocation="r.io"\n[[registry.mirror]]\nlocation="m.io/p"', "/c");
  const options = { ...DEFAULT_REGISTRY_OPTIONS, registriesConf: conf };
  const wanted = { registry: "r.io", repository: "a" };
  const mirror = { registry: "m.io", repository: "p/a" };
  deepEqual(pullSources(options, wanted), [mirror, wanted]);
  deepEqual(pullSources({ ...options, skipDefaultRegistryFallback: true }, wanted), [mirror]);
  const registryMaps = new Map([["r.io", ["flag.io"]]]);
  deepEqual(pullSources({ ...options, registryMaps }, wanted), [{ registry: "flag.io", repository: "a" }, wanted]);
});
