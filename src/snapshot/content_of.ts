/** Reads a regular file to its end for its content hash: only where a fingerprint leaves doubt whether it has changed. */
import type { ContentHash, ContentHasher } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import { readCapability } from "../sys/inode.ts";
import type { RawPath } from "../sys/raw_path.ts";
import { AT_CWD } from "../sys/stat.ts";

const CHUNK_BYTES = 256 * 1024;

/** The content of the regular file at the inner path, whose parents are resolved. Throws SystemError. */
export function contentOf(rootfs: Rootfs, path: RawPath, hasher: ContentHasher): ContentHash {
  return contentAt(AT_CWD, rootfs.hostPath(path), hasher);
}

/** The content of the regular file `name` in the open directory `directory`. Throws SystemError. */
export function contentAt(directory: number, name: RawPath, hasher: ContentHasher): ContentHash {
  const fd = openFileForReading(directory, name);
  try {
    hasher.begin(readCapability(fd));
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let length = readFile(fd, buffer, name); length > 0; length = readFile(fd, buffer, name)) {
      hasher.update(length === buffer.length ? buffer : buffer.subarray(0, length));
    }
    return hasher.end();
  } finally {
    closeFile(fd);
  }
}
