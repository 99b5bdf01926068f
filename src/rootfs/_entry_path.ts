/** What the name of a layer's member means: a node, a whiteout, an opaque marker, or nothing. Source: image-spec layer.md. */
import { baseName, parentPath, pathComponents, type RawPath } from "../sys/raw_path.ts";

/** A member's name, taken apart. `parent` is as in the archive, relative to the root, and not checked yet. */
export interface EntryPath {
  readonly kind: "root" | "node" | "whiteout" | "opaque" | "ignored";
  readonly parent: RawPath;
  /** Last component; of a whiteout the name that it hides. */
  readonly name: RawPath;
}

const WHITEOUT_PREFIX = ".wh.";
const RESERVED_PREFIX = ".wh..wh.";
const OPAQUE_MARKER = ".wh..wh..opq";
const MAX_NAME_BYTES = 255;

/** Takes a member's name apart. */
export function readEntryPath(path: RawPath): EntryPath {
  let parent = parentPath(path);
  let name = baseName(path);
  if (name === "" || name === ".") {
    const parts = pathComponents(path);
    name = parts.pop() ?? "" as RawPath;
    parent = parts.join("/") as RawPath;
  }
  if (name === "") return { kind: "root", parent, name };
  if (!name.startsWith(WHITEOUT_PREFIX)) return { kind: "node", parent, name };
  if (name === OPAQUE_MARKER) return { kind: "opaque", parent, name };
  if (name.startsWith(RESERVED_PREFIX)) return { kind: "ignored", parent, name };
  return { kind: "whiteout", parent, name: name.slice(WHITEOUT_PREFIX.length) as RawPath };
}

/** Whether something lies in a folder of reserved names, such as aufs' ".wh..wh.plnk": it is no part of the image. */
export function isReserved(parents: readonly RawPath[]): boolean {
  return parents.some((part) => part.startsWith(RESERVED_PREFIX));
}

/** Why a component cannot be used, or undefined. */
export function componentFault(name: RawPath): string | undefined {
  if (name === "..") return 'its name has a ".." component';
  if (name.length > MAX_NAME_BYTES) return `a component of its name has ${name.length} bytes: the limit is 255`;
  if (name.startsWith(WHITEOUT_PREFIX)) return "it lies below a whiteout";
  return undefined;
}

/** Why a whiteout's name cannot be used, or undefined. */
export function whiteoutFault(hidden: RawPath): string | undefined {
  const isName = hidden !== "" && hidden !== "." && hidden !== "..";
  return isName ? undefined : `it is a whiteout of "${hidden}", which is no name`;
}
