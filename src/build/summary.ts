/** The line that ends a build: what came out and what it took. */
import type { Image } from "../image/image.ts";

/** What a build took. */
export interface BuildCosts {
  readonly durationMs: number;
  /** Most bytes that blobs and unpacked files took at a time. */
  readonly peakDiskBytes: number;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/**
 * Layers and sizes of `image`, how much of it is new, peak disk and duration.
 *
 * @example
 * ```ts
 * import { scratchImage } from "../image/image.ts";
 * import { buildSummary } from "./summary.ts";
 * import { equal } from "node:assert/strict";
 * const image = scratchImage({ os: "linux", architecture: "amd64" });
 * const line = buildSummary(image, 0, { durationMs: 1500, peakDiskBytes: 2_000_000 });
 * equal(line, "Built 0 layers of 0 B, 0 of them new with 0 B; peak disk 2.0 MB, 1.5 s");
 * ```
 */
export function buildSummary({ layers }: Image, baseLayers: number, { durationMs, peakDiskBytes }: BuildCosts): string {
  const ours = layers.slice(baseLayers);
  const size = (part: Image["layers"]): string =>
    formatBytes(part.reduce((sum, { descriptor }) => sum + descriptor.size, 0));
  const news = `${ours.length} of them new with ${size(ours)}`;
  const costs = `peak disk ${formatBytes(peakDiskBytes)}, ${(durationMs / 1000).toFixed(1)} s`;
  return `Built ${layers.length} layer${layers.length === 1 ? "" : "s"} of ${size(layers)}, ${news}; ${costs}`;
}

/** A size for people, such as "60.5 MB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
