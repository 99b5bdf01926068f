/** Platforms: which machine an image is for. Source: image-spec image-index.md, platform; containerd's normalisation. */
import { FormatError } from "../errors.ts";

/** Operating system and processor, Go's names (`linux`, `amd64`), with the processor's variant where it matters. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const ARCHITECTURE_ALIASES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
  i386: ["386"],
  i686: ["386"],
};

/**
 * Reads `os/arch[/variant]`, or `arch` alone for Linux, into its normal form (arm64/v8 and amd64/v1 lose the variant,
 * arm gets v7). Throws FormatError.
 *
 * @example
 * ```ts
 * import { formatPlatform, parsePlatform } from "./platform.ts";
 * import { equal } from "node:assert/strict";
 * equal(formatPlatform(parsePlatform("linux/aarch64/v8")), "linux/arm64");
 * ```
 */
export function parsePlatform(text: string): Platform {
  const parts = text.trim().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw new FormatError(`Cannot read platform "${text}": expected os/arch or os/arch/variant`);
  }
  const lower = parts.map((part) => part.toLowerCase());
  if (lower.length === 1) {
    const only = lower[0] ?? "";
    return only === "linux" || only === "windows" || only === "darwin"
      ? { os: only, architecture: "amd64" }
      : normalisePlatform({ os: "linux", architecture: only });
  }
  const [os = "", architecture = "", variant] = lower;
  return normalisePlatform(variant === undefined ? { os, architecture } : { os, architecture, variant });
}

/** The normal form: aliases resolved, default variants dropped, arm without a variant is v7. */
export function normalisePlatform(platform: Platform): Platform {
  const [architecture, aliasVariant] = ARCHITECTURE_ALIASES[platform.architecture] ?? [platform.architecture];
  const variant = platform.variant || aliasVariant;
  const { os } = platform;
  if (architecture === "arm") return { os, architecture, variant: variant ?? "v7" };
  const isDefault = variant === undefined || (architecture === "arm64" && (variant === "v8" || variant === "8")) ||
    (architecture === "amd64" && variant === "v1");
  return isDefault ? { os, architecture } : { os, architecture, variant };
}

/** `os/arch` or `os/arch/variant`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/**
 * How well an image for `offered` serves a machine that wants `wanted`: undefined when it cannot run, else larger is
 * better. An arm machine runs lower variants (v7 runs v6), an amd64/v3 machine runs v2 and v1; the closest wins.
 */
export function platformFit(wanted: Platform, offered: Platform): number | undefined {
  const want = normalisePlatform(wanted);
  const offer = normalisePlatform(offered);
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined;
  const wantRank = variantRank(want);
  const offerRank = variantRank(offer);
  if (wantRank === undefined || offerRank === undefined) return want.variant === offer.variant ? 0 : undefined;
  return offerRank <= wantRank ? offerRank : undefined;
}

function variantRank(platform: Platform): number | undefined {
  const variant = platform.variant ?? (platform.architecture === "arm64" ? "v8" : "v1");
  const match = /^v?(\d+)$/.exec(variant);
  return match ? Number(match[1]) : undefined;
}
