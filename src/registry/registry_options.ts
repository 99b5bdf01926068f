/** How registries are reached: plain HTTP or TLS, whose certificates, which mirrors. Decided here for each host alone. */
import { DOCKER_HUB, type Reference } from "../oci/reference.ts";
import { confSources, type RegistriesConf } from "./registries_conf.ts";

/** What a connection is for: the flags for pulling and pushing differ. */
export type Purpose = "pull" | "push";

/** One repository of one registry. */
export type Repository = Pick<Reference, "registry" | "repository">;

/** A client's certificate for mutual TLS: paths of PEM files. */
export interface ClientCertificate {
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** How registries are reached. Hosts are written as in references: "index.docker.io", "127.0.0.1:5000". */
export interface RegistryOptions {
  /** Plain HTTP for all pushes, for all pulls, and for these hosts. */
  readonly insecure: boolean;
  readonly insecurePull: boolean;
  readonly insecureRegistries: ReadonlySet<string>;
  /** TLS without verification for all pushes, for all pulls, and for these hosts. */
  readonly skipTlsVerify: boolean;
  readonly skipTlsVerifyPull: boolean;
  readonly skipTlsVerifyRegistries: ReadonlySet<string>;
  /** Path of a PEM file with certificate authorities that are trusted besides the system's, by host. */
  readonly registryCertificates: ReadonlyMap<string, string>;
  readonly registryClientCerts: ReadonlyMap<string, ClientCertificate>;
  /**
   * Mirrors of a host, in order: "host[:port][/prefix]". Pulls alone use them. A key "*.domain" stands for all hosts of
   * the domain, "*" for all hosts; "*" in a mirror is the host that is mirrored.
   */
  readonly registryMaps: ReadonlyMap<string, readonly string[]>;
  /** Mirrors of hosts that `registryMaps` does not know. */
  readonly registriesConf?: RegistriesConf;
  /** Whether a host with mirrors is left alone when none of them has the image. */
  readonly skipDefaultRegistryFallback: boolean;
  /** Further attempts of a push to one destination, and of a pull of one manifest. */
  readonly pushRetry: number;
  readonly imageDownloadRetry: number;
  /** Whether a tag that exists and must not move counts as pushed. */
  readonly ignoreImmutableTagErrors: boolean;
  /** Blobs moved at the same time. */
  readonly concurrency: number;
  /** Which built-in sources of logins are asked, besides docker's config.json and its helper programs. */
  readonly credentialHelpers: ReadonlySet<CredentialHelper>;
}

/** A built-in source of logins: KANIKO_<HOST>_USER variables, a cloud's registry, GitLab's CI variables. */
export type CredentialHelper = "env" | "google" | "ecr" | "acr" | "gitlab";

/** All of them. */
export const CREDENTIAL_HELPERS: readonly CredentialHelper[] = ["env", "google", "ecr", "acr", "gitlab"];

/** What kiln does when it is told nothing. */
export const DEFAULT_REGISTRY_OPTIONS: RegistryOptions = {
  insecure: false,
  insecurePull: false,
  insecureRegistries: new Set(),
  skipTlsVerify: false,
  skipTlsVerifyPull: false,
  skipTlsVerifyRegistries: new Set(),
  registryCertificates: new Map(),
  registryClientCerts: new Map(),
  registryMaps: new Map(),
  skipDefaultRegistryFallback: false,
  pushRetry: 0,
  imageDownloadRetry: 0,
  ignoreImmutableTagErrors: false,
  concurrency: 4,
  credentialHelpers: new Set(CREDENTIAL_HELPERS),
};

/** How one host is spoken to. */
export interface HostPolicy {
  readonly scheme: "http" | "https";
  readonly verifiesTls: boolean;
  readonly certificatePath?: string;
  readonly clientCertificate?: ClientCertificate;
}

/**
 * How `registry` is spoken to. Loopback hosts speak plain HTTP, as for Docker, unless a TLS option names them.
 * `--skip-tls-verify` counts for pulls too, as in kaniko.
 */
export function hostPolicy(options: RegistryOptions, registry: string, purpose: Purpose): HostPolicy {
  const certificatePath = options.registryCertificates.get(registry);
  const clientCertificate = options.registryClientCerts.get(registry);
  const skipsHere = options.skipTlsVerifyRegistries.has(registry);
  const isInsecure = options.insecureRegistries.has(registry) ||
    (purpose === "push" ? options.insecure : options.insecurePull);
  const isTlsNamed = certificatePath !== undefined || clientCertificate !== undefined || skipsHere;
  const skips = skipsHere || options.skipTlsVerify || (purpose === "pull" && options.skipTlsVerifyPull);
  return {
    scheme: isInsecure || (isLoopback(registry) && !isTlsNamed) ? "http" : "https",
    verifiesTls: !skips,
    ...(certificatePath === undefined ? {} : { certificatePath }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

/** Whether the host part of `registry` is this machine: localhost, 127.0.0.0/8 or ::1. */
export function isLoopback(registry: string): boolean {
  const host = registry.startsWith("[") ? registry.slice(0, registry.indexOf("]") + 1) : registry.split(":")[0];
  return host === "localhost" || host === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host ?? "");
}

/**
 * Where `wanted` may be pulled from, in order: its mirrors, then itself unless mirrors exist and the fallback is off. A
 * mirror's path prefix is put before the repository. Throws FormatError for what registries.conf blocks.
 */
export function pullSources(
  options: RegistryOptions,
  wanted: Repository & Pick<Reference, "digest">,
): readonly Repository[] {
  const { registry, repository } = wanted;
  const mapped = mirrorsOf(options.registryMaps, registry).map((mirror) => {
    const [host = "", ...prefix] = mirror.replace(/^https?:\/\//, "").replaceAll("*", shortHost(registry)).split("/")
      .filter((part) => part !== "");
    return { registry: host === "docker.io" ? DOCKER_HUB : host, repository: [...prefix, repository].join("/") };
  });
  if (mapped.length > 0) return options.skipDefaultRegistryFallback ? mapped : [...mapped, { registry, repository }];
  const configured = options.registriesConf && confSources(options.registriesConf, wanted);
  if (configured === undefined) return [{ registry, repository }];
  const others = configured.filter((source) => source.registry !== registry || source.repository !== repository);
  return options.skipDefaultRegistryFallback && others.length > 0 ? others : configured;
}

/** The mirrors of the host itself, else of its closest domain, else of all hosts. */
function mirrorsOf(maps: RegistryOptions["registryMaps"], registry: string): readonly string[] {
  const exact = maps.get(registry);
  if (exact !== undefined) return exact;
  const labels = shortHost(registry).replace(/:\d+$/, "").split(".");
  for (let start = 1; start < labels.length; start++) {
    const wild = maps.get(`*.${labels.slice(start).join(".")}`);
    if (wild !== undefined) return wild;
  }
  return maps.get("*") ?? [];
}

/** Docker Hub under the name that people write. */
function shortHost(registry: string): string {
  return registry === DOCKER_HUB ? "docker.io" : registry;
}
