/** Whether a copy would only repeat what is there, so that no layer has to carry it again. */
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import { readLink, readXattr } from "../sys/inode.ts";
import type { RawPath } from "../sys/raw_path.ts";
import type { Inode } from "../sys/stat.ts";
import type { NodeMetadata } from "./copy_writer.ts";

/** A node in its open directory, and where it is on the machine. */
export interface KnownNode {
  readonly directory: number;
  readonly name: RawPath;
  readonly hostPath: RawPath;
  readonly node: Inode;
}

const CAPABILITY = "security.capability";
const NS_PER_SECOND = 1_000_000_000n;
const BUFFER_BYTES = 1 << 16;

/**
 * Whether a layer would record the same for the file or symlink `existing` as for a copy of `source` with `metadata`:
 * type, owner, mode, time in seconds, link target or content. Other types are never the same.
 */
export function isSameNode(source: KnownNode, existing: KnownNode, metadata: NodeMetadata): boolean {
  const { type, uid, gid, mode, mtimeNs } = existing.node;
  if (type !== source.node.type || uid !== metadata.uid || gid !== metadata.gid) return false;
  if (wholeSeconds(mtimeNs) !== wholeSeconds(metadata.mtimeNs)) return false;
  if (type === "symlink") {
    return readLink(source.directory, source.name) === readLink(existing.directory, existing.name);
  }
  if (type !== "file" || mode !== metadata.mode || source.node.size !== existing.node.size) return false;
  const capability = metadata.xattrs.get(CAPABILITY) ?? new Uint8Array();
  const existingCapability = readXattr(existing.hostPath, CAPABILITY) ?? new Uint8Array();
  return areEqual(capability, existingCapability) && haveSameContent(source, existing);
}

function wholeSeconds(timeNs: bigint): bigint {
  return (timeNs - (((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND)) / NS_PER_SECOND;
}

function haveSameContent(a: KnownNode, b: KnownNode): boolean {
  const left = openFileForReading(a.directory, a.name);
  try {
    const right = openFileForReading(b.directory, b.name);
    try {
      return compareOpenFiles(left, right);
    } finally {
      closeFile(right);
    }
  } finally {
    closeFile(left);
  }
}

function compareOpenFiles(left: number, right: number): boolean {
  const [a, b] = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)];
  while (true) {
    const count = fill(left, a);
    if (count !== fill(right, b) || !areEqual(a.subarray(0, count), b.subarray(0, count))) return false;
    if (count < BUFFER_BYTES) return true;
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(fd: number, buffer: Uint8Array): number {
  let filled = 0;
  for (let count = -1; count !== 0 && filled < buffer.length; filled += count) {
    count = readFile(fd, buffer.subarray(filled));
  }
  return filled;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
