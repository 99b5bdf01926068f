/**
 * The plan: a Dockerfile with every variable expanded and every stage's base resolved, so that execution only makes
 * layers. Everything about the final image config is decided here (RUN cannot change ENV), so `--dryrun` prints the truth.
 */
import type { SourceRange } from "../dockerfile/instruction.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ContainerConfig, ImageConfig } from "../oci/image_config.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { NamedContexts, NamedFiles } from "./named_contexts.ts";
import type { RemoteSource } from "./remote_source.ts";

/** A base image as the registry has it: enough to plan with, nothing downloaded but manifest and config. */
export interface ResolvedImage {
  readonly reference: Reference;
  /** Digest of the manifest (not of an index it was chosen from). */
  readonly digest: Digest;
  readonly manifest: ImageManifest;
  readonly manifestDescriptor: Descriptor;
  readonly config: ImageConfig;
}

/** Resolves a base image for a platform. Implemented by `registry/pull.ts`; the planner's only contact with the world. */
export interface BaseResolver {
  /** Throws RegistryError when the image cannot be had, with the reference in the message. */
  resolve(reference: Reference, platform: Platform): Promise<ResolvedImage>;
}

/** What the planner is told besides the Dockerfile. */
export interface PlanOptions {
  /** Values of `--build-arg`, in order. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** `--target`: a stage's name or index; undefined is the last stage. */
  readonly target?: string;
  /** The platform to build for, and the one we run on. */
  readonly targetPlatform: Platform;
  readonly buildPlatform: Platform;
  /** `--label`, applied last to the target stage's config, without history. */
  readonly labels: ReadonlyMap<string, string>;
  /** `--build-context`, by the one spelling of each name. */
  readonly namedContexts?: NamedContexts;
  /** Plan every stage of the file, needed or not: what checks without a target look at. */
  readonly allStages?: boolean;
  /** Whether the context's ignore file hides a path, for the check of that; absent where it makes exceptions. */
  readonly isIgnored?: (path: string) => boolean;
  /** What SOURCE_DATE_EPOCH=context means, in seconds since 1970; a folder has no such time. */
  readonly contextEpoch?: number;
}

/** What a stage starts from. */
export type StageBase =
  | { readonly kind: "scratch" }
  | { readonly kind: "image"; readonly image: ResolvedImage }
  | { readonly kind: "stage"; readonly stageIndex: number };

/** Where COPY and ADD take their files. */
export type CopySource =
  | { readonly kind: "context" }
  | { readonly kind: "stage"; readonly stageIndex: number }
  | { readonly kind: "image"; readonly image: ResolvedImage }
  | { readonly kind: "named"; readonly name: string; readonly files: NamedFiles };

/** Files of the context, a stage or an image at `target`. */
export interface BindMount {
  readonly kind: "bind";
  readonly target: string;
  readonly from: CopySource;
  /** A folder or file in `from`, absolute. */
  readonly source: string;
  /** Otherwise what is written is lost. */
  readonly isReadOnly: boolean;
}

/** A folder that outlives the build, and is no part of the image. */
export interface CacheMount {
  readonly kind: "cache";
  readonly target: string;
  /** Mounts of one id, `from` and access share a folder. */
  readonly id: string;
  /** What the folder holds when it is new; nothing by default. */
  readonly from?: CopySource;
  /** The part of `from`, or of the folder where there is no `from`, that is mounted; absolute. */
  readonly source: string;
  readonly isReadOnly: boolean;
  readonly sharing: "shared" | "private" | "locked";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** An empty folder in memory. */
export interface TmpfsMount {
  readonly kind: "tmpfs";
  readonly target: string;
  readonly sizeBytes?: number;
}

/** A secret, by its id: its value is in no plan. A file, a variable or both. */
export interface SecretMount {
  readonly kind: "secret";
  readonly id: string;
  readonly target?: string;
  readonly env?: string;
  /** Whether the build fails without it. */
  readonly isRequired: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The socket of an ssh agent. */
export interface SshMount {
  readonly kind: "ssh";
  readonly id: string;
  readonly target: string;
  readonly isRequired: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One `--mount` of a RUN. Targets are absolute, and no two are the same. */
export type RunMount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

/** What every step carries. */
interface StepBase {
  readonly range: SourceRange;
  /** The instruction as it is shown to people: one line. */
  readonly title: string;
  /** `created_by` of the history entry, as BuildKit writes it. */
  readonly history: string;
}

/** A command to run in the rootfs; makes a layer, though it may be empty. */
export interface RunStep extends StepBase {
  readonly kind: "run";
  /** The argv, the shell already put before a shell form. */
  readonly argv: readonly string[];
  /** A heredoc that begins with `#!`: this text, mode 0755, is the command, shown to it as `/dev/pipes/<name>`. */
  readonly script?: { readonly name: string; readonly content: string };
  /**
   * "NAME=value", each name once: the image's environment and ARGs in the order of their assignment, then the proxy
   * variables. Without HOME, which is looked up in the rootfs unless it is here.
   */
  readonly env: readonly string[];
  /** Names in `env` that proxy build-args set: they do not count for the cache key. */
  readonly proxyNames?: readonly string[];
  /** USER as written, expanded; empty is root. */
  readonly user: string;
  /** Absolute. */
  readonly workdir: string;
  /** `--network`: the network of the container we run in, or none but loopback. */
  readonly network: "default" | "none" | "host";
  /** What it sees besides the image; absent when there is nothing. */
  readonly mounts?: readonly RunMount[];
}

/** One file made from a heredoc of COPY or ADD: mode 0644. `name` is one path component. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

/** Files to put into the rootfs; makes a layer. */
export interface CopyStep extends StepBase {
  readonly kind: "copy";
  readonly instruction: "COPY" | "ADD";
  readonly source: CopySource;
  /** Expanded source patterns. */
  readonly patterns: readonly string[];
  /** Sources of ADD that are fetched; absent when there are none. */
  readonly remotes?: readonly RemoteSource[];
  readonly inlineFiles: readonly InlineFile[];
  /** Absolute; a trailing slash is kept, it says that the destination is a directory. */
  readonly destination: string;
  /** `user[:group]` as written, expanded; looked up in the rootfs. */
  readonly chown?: string;
  /** Octal or symbolic, expanded. */
  readonly chmod?: string;
  /** `--exclude` patterns. */
  readonly exclude: readonly string[];
  /** Whether local archives are unpacked (ADD, unless --unpack=false). */
  readonly unpack: boolean;
  /** COPY --parents: sources keep their path, from the pivot "/./" or the top, below the destination. */
  readonly parents: boolean;
  /** --link: the layer is made on an empty root, so that it depends on nothing below it. */
  readonly link: boolean;
}

/** A directory to make if it is missing; makes a layer. `path` is absolute; owned by the current USER. */
export interface WorkdirStep extends StepBase {
  readonly kind: "workdir";
  readonly path: string;
  readonly user: string;
}

/** An instruction that only changes the config: a history entry without a layer. */
export interface MetadataStep extends StepBase {
  readonly kind: "metadata";
}

export type Step = RunStep | CopyStep | WorkdirStep | MetadataStep;

/** One stage that the target needs. */
export interface StagePlan {
  readonly index: number;
  readonly name?: string;
  readonly base: StageBase;
  readonly platform: Platform;
  readonly steps: readonly Step[];
  /** The config part of the stage's image after its last step. */
  readonly config: ContainerConfig;
  /** `author` of the image config, from MAINTAINER. */
  readonly author?: string;
}

/** The stages to build, in an order in which each comes after those it needs; the target is the last. */
export interface Plan {
  readonly target: StagePlan;
  readonly stages: readonly StagePlan[];
  /** What parser and planner found, as far as the file wants it told. */
  readonly warnings: readonly PlanWarning[];
  /** SOURCE_DATE_EPOCH of a build-arg or a global ARG: seconds since 1970. */
  readonly sourceDateEpoch?: number;
}

/** Something that the user should see but that does not stop the build. */
export interface PlanWarning {
  readonly rule?: string;
  readonly message: string;
  readonly range?: SourceRange;
}
