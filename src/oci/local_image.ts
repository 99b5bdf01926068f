/** Images that lie in files: an OCI image layout or a docker-archive, named by a path, for places without a registry. */
import { FormatError } from "../errors.ts";
import { isDigest } from "./digest.ts";

/** The two forms in which an image lies in files. */
export type LocalImageKind = "oci-layout" | "docker-archive";

/** One image in files. */
export interface LocalImage {
  readonly kind: LocalImageKind;
  /** As written: absolute, or relative to the current directory. */
  readonly path: string;
  /** Which of several images: tag or digest in a layout, "name:tag" in an archive. */
  readonly target?: string;
}

/**
 * Reads `oci-layout://PATH[:TAG|@DIGEST]` or `docker-archive://PATH[:NAME[:TAG]]`; undefined for text that begins with
 * neither. Throws FormatError for a path that is not there.
 *
 * @example
 * ```ts
 * import { parseLocalImage } from "./local_image.ts";
 * import { deepEqual } from "node:assert/strict";
 * deepEqual(parseLocalImage("oci-layout:///srv/base:1"), { kind: "oci-layout", path: "/srv/base", target: "1" });
 * ```
 */
export function parseLocalImage(text: string): LocalImage | undefined {
  const kind = KINDS.find((candidate) => text.startsWith(`${candidate}://`));
  if (kind === undefined) return undefined;
  const { path, target } = splitTarget(kind, text.slice(`${kind}://`.length));
  if (path === "" || path.includes("\0")) throw new FormatError(`Cannot read image "${text}": it names no path`);
  if (target === "") throw new FormatError(`Cannot read image "${text}": nothing follows the path's ":" or "@"`);
  return target === undefined ? { kind, path } : { kind, path, target };
}

/** The text that {@link parseLocalImage} reads. */
export function formatLocalImage({ kind, path, target }: LocalImage): string {
  if (target === undefined) return `${kind}://${path}`;
  return `${kind}://${path}${isDigest(target) ? "@" : ":"}${target}`;
}

/** A layout's tag has no slash, so the last colon behind the last slash counts; an archive's name may have some. */
function splitTarget(kind: LocalImageKind, text: string): { path: string; target: string | undefined } {
  const at = text.indexOf("@sha256:");
  if (at >= 0) {
    const target = text.slice(at + 1);
    if (!isDigest(target)) throw new FormatError(`Cannot read image "${kind}://${text}": "${target}" is no digest`);
    return { path: text.slice(0, at), target };
  }
  const colon = kind === "oci-layout" ? text.indexOf(":", text.lastIndexOf("/") + 1) : text.indexOf(":");
  return colon < 0 ? { path: text, target: undefined } : { path: text.slice(0, colon), target: text.slice(colon + 1) };
}

const KINDS: readonly LocalImageKind[] = ["oci-layout", "docker-archive"];
