/** The flags about registries, with kaniko's environment variables, as the registry folder's options. */
import { errorText } from "../errors.ts";
import { DOCKER_HUB } from "../oci/reference.ts";
import { parseRegistriesConf, type RegistriesConf } from "../registry/registries_conf.ts";
import {
  type ClientCertificate,
  CREDENTIAL_HELPERS,
  type CredentialHelper,
  DEFAULT_REGISTRY_OPTIONS,
  type RegistryOptions,
} from "../registry/registry_options.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { keyValues } from "./key_values.ts";

/** The options that `values` and `env` state. Throws UsageError. */
export function registryOptions(values: FlagValues, env: Readonly<Record<string, string>>): RegistryOptions {
  const registriesConf = readRegistriesConf(values.text("registries-conf") || env.CONTAINERS_REGISTRIES_CONF);
  const concurrency = values.number("registry-concurrency");
  if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
    throw new UsageError(`Cannot use "${concurrency}" for --registry-concurrency: expected 1 to ${MAX_CONCURRENCY}`);
  }
  return {
    ...DEFAULT_REGISTRY_OPTIONS,
    ...(registriesConf && { registriesConf }),
    concurrency,
    credentialHelpers: credentialHelpers(values),
    insecure: values.isSet("insecure"),
    insecurePull: values.isSet("insecure-pull"),
    insecureRegistries: new Set([...values.list("insecure-registry"), ...registriesConf?.insecureHosts ?? []]),
    skipTlsVerify: values.isSet("skip-tls-verify"),
    skipTlsVerifyPull: values.isSet("skip-tls-verify-pull"),
    skipTlsVerifyRegistries: new Set(values.list("skip-tls-verify-registry")),
    registryCertificates: keyValues("registry-certificate", values.list("registry-certificate")),
    registryClientCerts: clientCertificates(values.list("registry-client-cert")),
    registryMaps: registryMaps(values, env),
    skipDefaultRegistryFallback: values.isSet("skip-default-registry-fallback"),
    imageDownloadRetry: values.number("image-download-retry"),
    ...(values.knows("push-retry") && {
      pushRetry: values.number("push-retry"),
      ignoreImmutableTagErrors: values.isSet("push-ignore-immutable-tag-errors"),
    }),
  };
}

/** All of them unless the flag is there; an empty value adds none, so that alone it means none at all. */
function credentialHelpers(values: FlagValues): ReadonlySet<CredentialHelper> {
  if (!values.isGiven("credential-helpers")) return DEFAULT_REGISTRY_OPTIONS.credentialHelpers;
  const names = values.list("credential-helpers").flatMap((word) => word.split(",")).filter((name) => name !== "");
  return new Set(names.map((name) => {
    const known = CREDENTIAL_HELPERS.find((candidate) => candidate === name.trim());
    if (known !== undefined) return known;
    throw new UsageError(`Cannot use "${name}" for --credential-helpers: expected ${CREDENTIAL_HELPERS.join(", ")}`);
  }));
}

function readRegistriesConf(path: string | undefined): RegistriesConf | undefined {
  if (path === undefined || path === "") return undefined;
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error: unknown) {
    throw new UsageError(`Cannot read "${path}", the registries.conf: ${errorText(error)}`, { cause: error });
  }
  return parseRegistriesConf(text, path);
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

const MAX_CONCURRENCY = 64;
