/** What a build is asked for and what it gives back. The record of the options of all folders; flags are bound in `cli/`. */
import type { Compression, ImageFormat } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Reference } from "../oci/reference.ts";
import type { PlanOptions } from "../plan/plan.ts";
import type { CacheOptions } from "./cache_options.ts";
import type { CheckReport } from "./plan_build.ts";
import type { RegistryOptions } from "../registry/registry_options.ts";
import type { SecretSource } from "./secrets.ts";

/** `auto` is in place inside a container and chroot elsewhere. */
export type Isolation = "auto" | "inplace" | "chroot";

/** Where the files come from. */
export interface ContextOptions {
  /** Path or URL as given to `--context`. */
  readonly source: string;
  readonly subPath: string;
  /** `--dockerfile`: tried as given, then relative to the context; undefined: the context's own. */
  readonly dockerfile?: string;
}

/** Where the rootfs is and what in it is not the image's. */
export interface RootOptions {
  readonly isolation: Isolation;
  /** Build in place although no container was detected. */
  readonly force: boolean;
  /** The folder for all of the builder's own files; undefined: a new one, removed at the end. */
  readonly workFolder?: string;
  /** `--ignore-path`: places in the rootfs that are left alone. */
  readonly ignorePaths: readonly string[];
  /** Wipe the rootfs before the first stage too. */
  readonly preCleanup: boolean;
}

/** How new layers are made and written. */
export interface LayerOptions {
  readonly compression: Compression;
  /** undefined: the default of the compression. */
  readonly level?: number;
  /** All that a stage changes is one layer, made at its last step that changes files. */
  readonly isSingle?: boolean;
  /** Most bytes that a layer of a base image may unpack to; undefined is no bound. */
  readonly maxUnpackedBytes?: number;
  /** No time of this build is in the image: times later than SOURCE_DATE_EPOCH, or 1970, become that. */
  readonly isReproducible?: boolean;
}

/** What to do with the image. File paths; each is written only after everything before it succeeded. */
export interface OutputOptions {
  readonly destinations: readonly Reference[];
  readonly push: boolean;
  readonly checkPushPermission: boolean;
  /** undefined: as the base has it. */
  readonly format?: ImageFormat;
  readonly annotations: Readonly<Record<string, string>>;
  readonly tarPath?: string;
  readonly ociLayoutPath?: string;
  readonly digestFile?: string;
  readonly imageNameWithDigestFile?: string;
  readonly imageNameTagWithDigestFile?: string;
}

/** Where logins for registries are looked for: paths of docker config.json files, the strongest first. */
export type CredentialPaths = readonly string[];

/** What RUN --mount may take from outside the build. */
export interface MountRequest {
  /** Where secrets are, by id. */
  readonly secrets: ReadonlyMap<string, SecretSource>;
  /** Sockets of ssh agents, by id; relative to the current directory. */
  readonly agents: ReadonlyMap<string, string>;
}

/** Everything that decides what a build does. */
export interface BuildRequest {
  readonly context: ContextOptions;
  readonly plan: PlanOptions;
  readonly root: RootOptions;
  readonly layers: LayerOptions;
  readonly registry: RegistryOptions;
  readonly credentialPaths: CredentialPaths;
  readonly outputs: OutputOptions;
  /** No layer is taken from a cache or kept in one unless this says so. */
  readonly cache?: CacheOptions;
  /** Make the plan, build nothing. */
  readonly isDryRun: boolean;
  /** Apply the build checks to the Dockerfile, build nothing. */
  readonly isCheck?: boolean;
  /** Nothing by default. */
  readonly mounts?: MountRequest;
}

/** The finished image. */
export interface BuildResult {
  readonly digest: Digest;
  readonly configDigest: Digest;
  readonly pushed: readonly Reference[];
}

/** How a build ended: with an image or, for a dry run, with the text of its plan, for a check with what it found. */
export type BuildOutcome =
  | { readonly kind: "built"; readonly result: BuildResult }
  | { readonly kind: "planned"; readonly text: string }
  | { readonly kind: "checked"; readonly report: CheckReport };
