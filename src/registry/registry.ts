/** Everything a build wants of registries, wired from options and the outside world: pull, layers, push. */
import type { BlobSource, BlobStore, ManifestStore, StoredManifest } from "../blob/blob_store.ts";
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
  /** Pushes under each reference, in order. Blobs of resolved base images are mounted where that is possible. */
  push(image: PushableImage, references: readonly Reference[]): Promise<readonly PushedImage[]>;
  /** Finds an image, in a registry or in files: an index as a whole, or with `platform` the image in it. */
  find(reference: Reference, platform?: Platform): Promise<FoundImage>;
  /** Copies an image that `find` gave to a registry or into files; gives its manifest there. */
  transfer(found: FoundImage, to: Reference): Promise<StoredManifest>;
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
  const push = {
    client: (name: Repository) => clients(name, "push"),
    repositoriesWith: base.repositoriesWith,
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
    push: (image, references) => pushImage(image, references, options, push),
    find: (reference, platform) => findImage(reference, platform, transfers),
    transfer: (found, to) => transfer(found, to, options, transfers),
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
