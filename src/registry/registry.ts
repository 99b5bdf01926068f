/** Everything a build wants of registries, wired from options and the outside world: pull, layers, push. */
import type { BlobSource, BlobStore, ManifestStore, StoredManifest } from "../blob/blob_store.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { BaseResolver, ResolvedImage } from "../plan/plan.ts";
import { Authenticator } from "./auth.ts";
import { RegistryClient } from "./client.ts";
import { createCloudLogins } from "./cloud_logins.ts";
import { Connections } from "./connections.ts";
import { Credentials } from "./credentials.ts";
import { findImage, type FoundImage, transfer, type TransferServices } from "./image_transfer.ts";
import { MirroredSource } from "./mirrored_source.ts";
import { createBaseResolver } from "./pull.ts";
import { listReferrers, pushReferrer, type Referrer } from "./referrers.ts";
import { checkPush, type PushableImage, type PushedImage, pushImage } from "./push.ts";
import { pullSources, type Purpose, type RegistryOptions, type Repository } from "./registry_options.ts";
import type { RegistryServices } from "./registry_services.ts";
import { RegistrySession, type SessionServices } from "./session.ts";
import { Transport, type TransportOptions } from "./transport.ts";

/** The registries, for one build. Dispose it at the end: it holds connections. */
export interface Registry extends Disposable {
  /** Resolves base images, through mirrors. */
  readonly resolver: BaseResolver;
  /** The paths of the images in files that `resolver` has read from. */
  readonly localPaths: () => readonly string[];
  /** The layers of an image that `resolver` gave. */
  layerSource(image: ResolvedImage): BlobSource;
  /** One repository as a store, such as a cache repository. */
  repository(repository: Repository, purpose: Purpose): BlobStore & ManifestStore;
  /** Says that the repository holds the blob, for mounting. */
  noteBlob(digest: Digest, repository: Repository): void;
  /** Pushes under each reference, in order. Blobs that are known to be in another repository are mounted where that goes. */
  push(image: PushableImage, references: readonly Reference[]): Promise<readonly PushedImage[]>;
  /** Finds an image, in a registry or in files: an index as a whole, or with `platform` the image in it. */
  find(reference: Reference, platform?: Platform): Promise<FoundImage>;
  /** Copies an image that `find` gave to a registry or into files; gives its manifest there. */
  transfer(found: FoundImage, to: Reference): Promise<StoredManifest>;
  /** What refers to a manifest of a repository: signatures, attestations, and the like. */
  referrers(repository: Repository, digest: Digest, artifactType?: string): Promise<readonly Referrer[]>;
  /** Pushes a manifest whose blobs are there and that names its subject; it is then listed as a referrer of that. */
  pushReferrer(repository: Repository, manifest: StoredManifest): Promise<Referrer>;
  /** Throws RegistryError unless the logins at hand may push to each reference. */
  checkPush(references: readonly Reference[]): Promise<void>;
}

/** The registries, reached as `options` say. Nothing is read or called before the first use. */
export function createRegistry(
  options: RegistryOptions,
  services: RegistryServices,
  transportOptions: Partial<TransportOptions> = {},
): Registry {
  const connections = new Connections(options, services);
  const transport = new Transport(connections, services, transportOptions);
  const credentials = new Credentials(services, {
    helpers: options.credentialHelpers,
    clouds: createCloudLogins({ ...services, transport }),
  });
  const authenticator = new Authenticator({ transport, credentials, now: services.now });
  const clients = clientPool({ connections, transport, authenticator });
  const { log, signal, sleep } = services;
  const base = createBaseResolver(options, { client: (name) => clients(name, "pull"), sleep, log, signal });
  const noted = new Map<Digest, readonly Repository[]>();
  const push = {
    client: (name: Repository) => clients(name, "push"),
    repositoriesWith: (digest: Digest) => [...base.repositoriesWith(digest), ...noted.get(digest) ?? []],
    sleep,
    log,
    signal,
  };
  const transfers: TransferServices = {
    source: (wanted) => {
      return new MirroredSource(pullSources(options, wanted).map((name) => clients(name, "pull")), services);
    },
    locals: base.locals,
    client: push.client,
    sleep,
    log,
    signal,
  };
  return {
    resolver: base,
    localPaths: () => base.locals.paths,
    layerSource: (image) => base.layerSource(image),
    repository: clients,
    noteBlob: (digest, repository) => void noted.set(digest, [...noted.get(digest) ?? [], repository]),
    push: (image, references) => pushImage(image, references, options, push),
    find: (reference, platform) => findImage(reference, platform, transfers),
    transfer: (found, to) => transfer(found, to, options, transfers),
    referrers: (name, digest, artifactType) => listReferrers(clients(name, "pull"), { digest, artifactType, signal }),
    pushReferrer: (name, manifest) => pushReferrer(clients(name, "push"), manifest, signal),
    checkPush: (references) => checkPush(references, push),
    [Symbol.dispose]: () => connections[Symbol.dispose](),
  };
}

/** One client for each repository and purpose, so that what one push learned the next one knows. */
function clientPool(services: SessionServices): (repository: Repository, purpose: Purpose) => RegistryClient {
  const pool = new Map<string, RegistryClient>();
  return ({ registry, repository }, purpose) => {
    const key = `${purpose} ${registry}/${repository}`;
    const known = pool.get(key);
    if (known !== undefined) return known;
    const client = new RegistryClient(new RegistrySession({ registry, repository }, purpose, services));
    pool.set(key, client);
    return client;
  };
}
