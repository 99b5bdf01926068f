/** RawPaths as the NUL-terminated bytes that system calls take. */
import type { RawPath } from "./raw_path.ts";
import { SystemError } from "./libc.ts";

const PATH_MAX_BYTES = 4096;

/** The bytes of `path` and a NUL. Throws SystemError for a path with a NUL inside or past PATH_MAX. */
export function pathBuffer(path: RawPath): Uint8Array<ArrayBuffer> {
  if (path.includes("\0")) throw new SystemError("open", "EINVAL", path, `Cannot use path with a NUL byte: "${path}"`);
  if (path.length >= PATH_MAX_BYTES) {
    throw new SystemError("open", "ENAMETOOLONG", path, `Cannot use path of ${path.length} bytes: the limit is 4095`);
  }
  const buffer = new Uint8Array(path.length + 1);
  for (let i = 0; i < path.length; i++) buffer[i] = path.charCodeAt(i);
  return buffer;
}
