import { deepEqual, equal, throws } from "node:assert/strict";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";
import { registryOptions } from "../../../src/cli/registry_flags.ts";
import type { RegistryOptions } from "../../../src/registry/registry_options.ts";

function options(args: readonly string[], env: Readonly<Record<string, string>> = {}): RegistryOptions {
  const parsed = parseFlags(args, EXECUTOR_FLAGS, { name: "executor", summary: "" });
  if (parsed.kind !== "values") throw new TypeError("help was not asked for");
  return registryOptions(parsed.values, env);
}

Deno.test("registryOptions keeps the order of mirrors when flags and environment name them", () => {
  const { registryMaps } = options(["--registry-map=docker.io=a/x;gcr.io=b", "--registry-mirror=c"], {
    KANIKO_REGISTRY_MAP: "gcr.io=d",
    KANIKO_REGISTRY_MIRROR: "e",
  });
  deepEqual([...registryMaps], [["index.docker.io", ["a/x", "c", "e"]], ["gcr.io", ["b", "d"]]]);
});

Deno.test("registryOptions takes certificates by host", () => {
  const { registryCertificates, registryClientCerts } = options([
    "--registry-certificate=h=/ca.pem",
    "--registry-client-cert=h=/c.pem,/k.pem",
  ]);
  equal(registryCertificates.get("h"), "/ca.pem");
  deepEqual(registryClientCerts.get("h"), { certificatePath: "/c.pem", keyPath: "/k.pem" });
  throws(() => options(["--registry-client-cert=h=/c.pem"]), /HOST=CERT,KEY/);
});

Deno.test("registryOptions takes all built-in credentials, those that are named, or none", () => {
  const helpers = (...args: string[]): readonly string[] => [...options(args).credentialHelpers];
  deepEqual(helpers(), ["env", "google", "ecr", "acr", "gitlab"]);
  deepEqual(helpers("--credential-helpers=ecr,env", "--credential-helpers=acr"), ["ecr", "env", "acr"]);
  deepEqual(helpers("--credential-helpers="), []);
});

Deno.test("registryOptions reads registries.conf from flag or environment, with its plain http hosts", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, '[[registry]]\nlocation = "r.io"\ninsecure = true\n');
    for (const found of [options([`--registries-conf=${path}`]), options([], { CONTAINERS_REGISTRIES_CONF: path })]) {
      equal(found.registriesConf?.rules.length, 1);
      deepEqual([...found.insecureRegistries], ["r.io"]);
    }
    equal(options([]).registriesConf, undefined);
  } finally {
    await Deno.remove(path);
  }
});
