/**
 * The image config: what a container of the image starts with, which layers it has and how they came to be. Field names
 * are those of the specification's JSON. Source: image-spec config.md, with Docker's extensions (Healthcheck, Shell, OnBuild).
 */
import * as z from "zod/mini";
import { type DiffId, isDigest } from "./digest.ts";
import {
  checkDocument,
  decodeJson,
  type DocumentKind,
  encodeJson,
  nonEmptyList,
  nonEmptyMap,
} from "./json_document.ts";

/** A health check; durations in nanoseconds. Test is ["NONE"], ["CMD", arg…] or ["CMD-SHELL", text]. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** How a container of the image runs. Absent and null mean the same; {@link configBytes} omits both. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  /** "NAME=value", each name once, in order. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: Healthcheck;
  readonly ArgsEscaped?: boolean;
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  readonly WorkingDir?: string;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[];
}

/** One instruction's trace. Entries that are not `empty_layer` pair with the diffIds, in order. */
export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The whole image config document. */
export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly config: ContainerConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly DiffId[] };
  readonly history: readonly HistoryEntry[];
}

/** The largest image config that is read, in bytes. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** Reads an image config. Fields that {@link ImageConfig} has not are dropped. Throws FormatError. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  return checkDocument(CONFIG_SCHEMA, decodeJson(bytes, CONFIG), CONFIG);
}

/**
 * The bytes of an image config: compact JSON, members in the alphabetical order that Docker and BuildKit write, those
 * of `config` and `history` in the order of their Go structs, maps sorted, empty members left out.
 */
export function configBytes(config: ImageConfig): Uint8Array<ArrayBuffer> {
  return encodeJson({
    architecture: config.architecture,
    author: nonEmptyText(config.author),
    config: containerDocument(config.config),
    created: nonEmptyText(config.created),
    history: nonEmptyList(config.history.map(historyDocument)),
    os: config.os,
    "os.features": nonEmptyList(config["os.features"]),
    "os.version": nonEmptyText(config["os.version"]),
    rootfs: { type: config.rootfs.type, diff_ids: config.rootfs.diff_ids },
    variant: nonEmptyText(config.variant),
  });
}

function containerDocument(config: ContainerConfig): unknown {
  return {
    User: nonEmptyText(config.User),
    ExposedPorts: nonEmptyMap(config.ExposedPorts),
    Env: nonEmptyList(config.Env),
    Entrypoint: nonEmptyList(config.Entrypoint),
    Cmd: nonEmptyList(config.Cmd),
    Healthcheck: config.Healthcheck && healthcheckDocument(config.Healthcheck),
    ArgsEscaped: config.ArgsEscaped || undefined,
    Volumes: nonEmptyMap(config.Volumes),
    WorkingDir: nonEmptyText(config.WorkingDir),
    OnBuild: nonEmptyList(config.OnBuild),
    Labels: nonEmptyMap(config.Labels),
    StopSignal: nonEmptyText(config.StopSignal),
    // Zero is a value here: kill at once. Go has a pointer in this place.
    StopTimeout: config.StopTimeout,
    Shell: nonEmptyList(config.Shell),
  };
}

function healthcheckDocument(check: Healthcheck): unknown {
  return {
    Test: nonEmptyList(check.Test),
    Interval: check.Interval || undefined,
    Timeout: check.Timeout || undefined,
    StartPeriod: check.StartPeriod || undefined,
    StartInterval: check.StartInterval || undefined,
    Retries: check.Retries || undefined,
  };
}

function historyDocument(entry: HistoryEntry): unknown {
  return {
    created: nonEmptyText(entry.created),
    created_by: nonEmptyText(entry.created_by),
    author: nonEmptyText(entry.author),
    comment: nonEmptyText(entry.comment),
    empty_layer: entry.empty_layer || undefined,
  };
}

function nonEmptyText(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

const CONFIG: DocumentKind = { name: "image config", maxBytes: MAX_CONFIG_BYTES };

const STRINGS = z.exactOptional(z.array(z.string()));
const TEXT = z.exactOptional(z.string());
const NUMBER = z.exactOptional(z.int());
const NAMES = z.exactOptional(z.record(z.string(), z.record(z.string(), z.never())));

const HEALTHCHECK_SCHEMA = z.object({
  Test: STRINGS,
  Interval: NUMBER,
  Timeout: NUMBER,
  StartPeriod: NUMBER,
  StartInterval: NUMBER,
  Retries: NUMBER,
});

const CONTAINER_SCHEMA = z.object({
  User: TEXT,
  ExposedPorts: NAMES,
  Env: STRINGS,
  Entrypoint: STRINGS,
  Cmd: STRINGS,
  Healthcheck: z.exactOptional(HEALTHCHECK_SCHEMA),
  ArgsEscaped: z.exactOptional(z.boolean()),
  Volumes: NAMES,
  WorkingDir: TEXT,
  OnBuild: STRINGS,
  Labels: z.exactOptional(z.record(z.string(), z.string())),
  StopSignal: TEXT,
  StopTimeout: NUMBER,
  Shell: STRINGS,
});

const HISTORY_SCHEMA = z.object({
  created: TEXT,
  created_by: TEXT,
  author: TEXT,
  comment: TEXT,
  empty_layer: z.exactOptional(z.boolean()),
});

const DIFF_ID_SCHEMA = z.custom<DiffId>((value) => typeof value === "string" && isDigest(value));

const CONFIG_SCHEMA = z.object({
  created: TEXT,
  author: TEXT,
  architecture: z.string(),
  os: z.string(),
  variant: TEXT,
  "os.version": TEXT,
  "os.features": STRINGS,
  config: z._default(CONTAINER_SCHEMA, {}),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z._default(z.array(DIFF_ID_SCHEMA), []) }),
  history: z._default(z.array(HISTORY_SCHEMA), []),
});
