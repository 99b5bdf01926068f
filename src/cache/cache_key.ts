/**
 * Cache keys: what identifies the layer of a step before it is made. The only place where keys are computed. Everything
 * that can change the layer is in its key, as typed parts with their lengths; what cannot change it is not.
 */
import { FormatError } from "../errors.ts";
import type { Compression } from "../oci/descriptor.ts";
import type { DiffId, Digest } from "../oci/digest.ts";
import { type Framed, framedDigest } from "../oci/framed_hash.ts";
import { normalisePlatform, type Platform } from "../oci/platform.ts";
import type { CopyStep, RunStep, Step, WorkdirStep } from "../plan/plan.ts";

declare const cacheKeyBrand: unique symbol;
declare const lineageBrand: unique symbol;

/** 64 lower-case hex digits: also the tag of the entry, as kaniko has it. */
export type CacheKey = string & { readonly [cacheKeyBrand]: true };

/**
 * Which results of RUN a layer lies on. A RUN may give other files when it is run again, so a layer that was made on one
 * result is not to be put on another, although its key is the same.
 */
export type Lineage = string & { readonly [lineageBrand]: true };

/** Changed whenever a layer of the same step may come out differently, or a key is made of other parts. */
const SALT = "kiln layer cache 1";
const CACHE_KEY = /^[0-9a-f]{64}$/;

/** What a stage starts from: nothing, or an image by the digest of its manifest. */
export type KeyBase = { readonly kind: "scratch" } | { readonly kind: "image"; readonly digest: Digest };

/** How the layers of a build are made, apart from its steps. */
export interface LayerMaking {
  readonly platform: Platform;
  readonly compression: Compression;
  /** Level of the compression; undefined is its default. */
  readonly level?: number | undefined;
  /** Latest time in a layer, seconds since 1970, where the build has one. */
  readonly latestSeconds?: number | undefined;
  /** Time of what steps make without naming its time, seconds since 1970, unless the base decides. */
  readonly epochSeconds?: number | undefined;
}

/** A step that makes a layer. */
export type LayerStep = RunStep | CopyStep | WorkdirStep;

/** What a step takes from outside its stage. */
export type StepInput =
  | { readonly kind: "none" }
  /** Files, by the digest of all that a layer would hold of them. */
  | { readonly kind: "files"; readonly digest: Digest }
  /** Files of a stage that is known by its key alone. */
  | { readonly kind: "stage"; readonly key: CacheKey }
  /** Files of an image, by the digest of its manifest. */
  | { readonly kind: "image"; readonly digest: Digest };

/** The key at the start of a stage. */
export function seedKey(base: KeyBase, making: LayerMaking): CacheKey {
  const { os, architecture, variant } = normalisePlatform(making.platform);
  const { compression, level, latestSeconds, epochSeconds } = making;
  const start = base.kind === "scratch" ? { kind: base.kind } : { kind: base.kind, digest: base.digest };
  return keyOf([SALT, "seed", start, { os, architecture, variant }, {
    compression,
    level,
    latestSeconds,
    epochSeconds,
  }]);
}

/**
 * The key of the layer that `step` makes on `parent`, the key before it, with `inputs`, one for each place that the step
 * takes files from, in the order of the step.
 */
export function nextKey(parent: CacheKey, step: LayerStep, inputs: readonly StepInput[]): CacheKey {
  return keyOf([SALT, "step", parent, stepParts(step), inputs.map((input) => ({ ...input }))]);
}

/** Whether the step makes a layer; the others leave the key as it is, and what they set is in the steps that see it. */
export function makesLayer(step: Step): step is LayerStep {
  return step.kind !== "metadata";
}

/** The lineage of a stage without any RUN before it. */
export function firstLineage(): Lineage {
  return lineageOf([SALT, "lineage"]);
}

/** The lineage after a RUN with the layer `diffId`. */
export function nextLineage(lineage: Lineage, diffId: DiffId): Lineage {
  return lineageOf([SALT, "lineage", lineage, diffId]);
}

/** Reads a key. Throws FormatError on anything but 64 lower-case hex digits. */
export function parseCacheKey(text: string): CacheKey {
  if (!CACHE_KEY.test(text)) throw new FormatError(`Cannot read cache key "${text}": expected 64 hex digits`);
  return text as CacheKey;
}

/** Reads a lineage; the same form as a key. Throws FormatError. */
export function parseLineage(text: string): Lineage {
  if (!CACHE_KEY.test(text)) throw new FormatError(`Cannot read lineage "${text}": expected 64 hex digits`);
  return text as Lineage;
}

/**
 * Everything of a step, so that what the planner adds to steps is in the key without a word here, except what cannot
 * change the layer: where it stands, how it is shown, which variables are proxies, and those variables. Where it takes
 * files from is not here either: what is there is an input.
 */
function stepParts(step: LayerStep): Framed {
  const { range: _range, title: _title, history: _history, ...parts } = step;
  if (parts.kind === "copy") return framed({ ...parts, source: undefined });
  if (parts.kind === "workdir") return framed(parts);
  const { proxyNames = [], env, mounts = [], ...run } = parts;
  const isProxy = (entry: string): boolean => proxyNames.some((name) => entry.startsWith(`${name}=`));
  return framed({
    ...run,
    env: env.filter((entry) => !isProxy(entry)),
    mounts: mounts.map((mount) => "from" in mount ? { ...mount, from: mount.from !== undefined } : mount),
  });
}

/** Any plain value of the plan. */
function framed(value: unknown): Framed {
  if (Array.isArray(value)) return value.map(framed);
  if (value instanceof Map) return [...value].map(framed);
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, framed(member)]));
  }
  return value as Framed;
}

function keyOf(parts: Framed): CacheKey {
  return framedDigest(parts).slice("sha256:".length) as CacheKey;
}

function lineageOf(parts: Framed): Lineage {
  return framedDigest(parts).slice("sha256:".length) as Lineage;
}
