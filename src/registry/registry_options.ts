/** How registries are reached: plain HTTP or TLS, whose certificates, which mirrors. Decided here for each host alone. */
import { DOCKER_HUB, type Reference } from "../oci/reference.ts";

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
  /** Mirrors of a host, in order: "host[:port][/prefix]". Pulls alone use them. */
  readonly registryMaps: ReadonlyMap<string, readonly string[]>;
  /** Whether a host with mirrors is left alone when none of them has the image. */
  readonly skipDefaultRegistryFallback: boolean;
  /** Further attempts of a push to one destination, and of a pull of one manifest. */
  readonly pushRetry: number;
  readonly imageDownloadRetry: number;
  /** Whether a tag that exists and must not move counts as pushed. */
  readonly ignoreImmutableTagErrors: boolean;
  /** Blobs moved at the same time. */
  readonly concurrency: number;
}

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
 * Where `repository` may be pulled from, in order: its mirrors, then itself unless mirrors exist and the fallback is
 * off. A mirror's path prefix is put before the repository.
 */
export function pullSources(options: RegistryOptions, repository: Repository): readonly Repository[] {
  const mirrors = (options.registryMaps.get(repository.registry) ?? []).map((mirror) => {
    const [host = "", ...prefix] = mirror.replace(/^https?:\/\//, "").split("/").filter((part) => part !== "");
    const registry = host === "docker.io" ? DOCKER_HUB : host;
    return { registry, repository: [...prefix, repository.repository].join("/") };
  });
  return mirrors.length > 0 && options.skipDefaultRegistryFallback ? mirrors : [...mirrors, repository];
}
