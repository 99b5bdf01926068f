/** An image as people read it. */
import { type Descriptor, layerCompression } from "../oci/descriptor.ts";
import type { ImageConfig } from "../oci/image_config.ts";
import { type ImageIndex, type ImageManifest, isIndex } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";

/** What is known of an image; an index has no config of its own. */
export interface InspectedImage {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
  readonly manifest: ImageManifest | ImageIndex;
  readonly config?: ImageConfig;
}

/** The image in lines, its last newline included. Control characters of a hostile image do not reach the terminal. */
export function formatImage(image: InspectedImage): string {
  const { manifest, config } = image;
  const lines = [
    field("Name", image.name),
    field("Digest", image.digest),
    field("Type", image.mediaType),
    ...(config === undefined ? [] : configLines(config)),
    ...(isIndex(manifest) ? indexLines(manifest) : layerLines(manifest)),
    ...Object.entries(manifest.annotations ?? {}).map(([name, value]) => field("Annotation", `${name}=${value}`)),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

/**
 * A number of bytes for people: "1.2 MB", three digits at most before the point.
 *
 * @example
 * ```ts
 * import { formatBytes } from "./format_image.ts";
 * import { equal } from "node:assert/strict";
 * equal(formatBytes(1_234_567), "1.2 MB");
 * ```
 */
export function formatBytes(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 999.95 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return unit === 0 ? `${size} B` : `${size.toFixed(1)} ${UNITS[unit]}`;
}

function configLines(config: ImageConfig): readonly string[] {
  const { Entrypoint, Cmd, User, WorkingDir, Env, Labels, ExposedPorts } = config.config;
  const optional: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Platform", formatPlatform(config)],
    ["Created", config.created],
    ["Entrypoint", jsonText(Entrypoint)],
    ["Command", jsonText(Cmd)],
    ["User", User],
    ["Folder", WorkingDir],
  ];
  return [
    ...optional.flatMap(([name, value]) => value === undefined || value === "" ? [] : [field(name, value)]),
    ...Object.keys(ExposedPorts ?? {}).map((port) => field("Port", port)),
    ...(Env ?? []).map((entry) => field("Env", entry)),
    ...Object.entries(Labels ?? {}).map(([name, value]) => field("Label", `${name}=${value}`)),
  ];
}

function layerLines({ layers }: ImageManifest): readonly string[] {
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const compression = ({ mediaType }: Descriptor): string => layerCompression(mediaType) ?? mediaType;
  return [
    field("Layers", `${layers.length}, ${formatBytes(total)}`),
    ...layers.map((layer) => `  ${layer.digest}  ${formatBytes(layer.size).padStart(9)}  ${compression(layer)}`),
  ];
}

function indexLines({ manifests }: ImageIndex): readonly string[] {
  return [
    field("Images", String(manifests.length)),
    ...manifests.map(({ digest, platform }) =>
      `  ${digest}  ${platform === undefined ? "" : formatPlatform(platform)}`
    ),
  ];
}

function jsonText(list: readonly string[] | null | undefined): string {
  return list === null || list === undefined ? "" : JSON.stringify(list);
}

function field(name: string, value: string): string {
  return `${`${name}:`.padEnd(12)}${value}`;
}

function printable(line: string): string {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return line.replace(/[\x00-\x1f\x7f-\x9f]/g, "?").trimEnd();
}

const UNITS: readonly string[] = ["B", "kB", "MB", "GB", "TB"];
