/** The flags about registries, with kaniko's environment variables, as the registry folder's options. */
import { DOCKER_HUB } from "../oci/reference.ts";
import {
  type ClientCertificate,
  DEFAULT_REGISTRY_OPTIONS,
  type RegistryOptions,
} from "../registry/registry_options.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { keyValues } from "./key_values.ts";

/** The options that `values` and `env` state. Throws UsageError. */
export function registryOptions(values: FlagValues, env: Readonly<Record<string, string>>): RegistryOptions {
  return {
    ...DEFAULT_REGISTRY_OPTIONS,
    insecure: values.isSet("insecure"),
    insecurePull: values.isSet("insecure-pull"),
    insecureRegistries: new Set(values.list("insecure-registry")),
    skipTlsVerify: values.isSet("skip-tls-verify"),
    skipTlsVerifyPull: values.isSet("skip-tls-verify-pull"),
    skipTlsVerifyRegistries: new Set(values.list("skip-tls-verify-registry")),
    registryCertificates: keyValues("registry-certificate", values.list("registry-certificate")),
    registryClientCerts: clientCertificates(values.list("registry-client-cert")),
    registryMaps: registryMaps(values, env),
    skipDefaultRegistryFallback: values.isSet("skip-default-registry-fallback"),
    pushRetry: values.number("push-retry"),
    imageDownloadRetry: values.number("image-download-retry"),
    ignoreImmutableTagErrors: values.isSet("push-ignore-immutable-tag-errors"),
  };
}

function clientCertificates(words: readonly string[]): ReadonlyMap<string, ClientCertificate> {
  const certificates = new Map<string, ClientCertificate>();
  for (const [host, files] of keyValues("registry-client-cert", words)) {
    const [certificatePath = "", keyPath = "", ...rest] = files.split(",");
    if (certificatePath === "" || keyPath === "" || rest.length > 0) {
      throw new UsageError(`Cannot use "${host}=${files}" for --registry-client-cert: expected HOST=CERT,KEY`);
    }
    certificates.set(host, { certificatePath, keyPath });
  }
  return certificates;
}

/** `--registry-map` and `--registry-mirror` in order, then what the environment adds. */
function registryMaps(values: FlagValues, env: Readonly<Record<string, string>>): Map<string, readonly string[]> {
  const words = [...values.list("registry-map"), env.KANIKO_REGISTRY_MAP ?? ""]
    .flatMap((word) => word.split(";")).filter((word) => word !== "");
  const mirrors = [...values.list("registry-mirror"), env.KANIKO_REGISTRY_MIRROR ?? ""].filter((word) => word !== "");
  const maps = new Map<string, readonly string[]>();
  const add = (host: string, mirror: string): void => {
    const key = host === "docker.io" || host === "registry-1.docker.io" ? DOCKER_HUB : host;
    maps.set(key, [...(maps.get(key) ?? []), mirror]);
  };
  for (const word of words) {
    for (const [host, mirror] of keyValues("registry-map", [word])) add(host, mirror);
  }
  for (const mirror of mirrors) add(DOCKER_HUB, mirror);
  return maps;
}
