/** Makes tar headers, and generates arbitrary ones. */
import fc from "fast-check";
import { type RawPath, rawPath, rawPathFromBytes } from "../../src/sys/raw_path.ts";
import { NO_XATTRS, type TarEntryType, type TarHeader } from "../../src/tar/header.ts";

/** A plain file of no bytes named `path`, but for what `changes` says. */
export function tarHeader(path: string, changes: Partial<TarHeader> = {}): TarHeader {
  return {
    path: rawPath(path),
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeNs: 0n,
    linkPath: rawPath(""),
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
    ...changes,
  };
}

const nameByte = fc.oneof(fc.constantFrom(0x61, 0x2e, 0x20), fc.integer({ min: 1, max: 255 }));

/** Any path that a tar can hold: bytes but NUL, up to 300, no slash at its end. */
export const arbitraryPath: fc.Arbitrary<RawPath> = fc.oneof(
  fc.array(nameByte, { minLength: 1, maxLength: 300 }),
  fc.array(fc.constantFrom(0x61, 0x2f), { minLength: 90, maxLength: 300 }),
).map((bytes) => rawPathFromBytes(Uint8Array.from([...bytes, 0x7a])));

const arbitraryXattrs = fc.array(
  fc.tuple(fc.stringMatching(/^user\.[a-z=%0-9]{1,10}$/), fc.uint8Array({ maxLength: 100 })),
  { maxLength: 3 },
).map((pairs): ReadonlyMap<string, Uint8Array> => new Map(pairs));

const TYPES: readonly TarEntryType[] = ["file", "directory", "symlink", "hardlink", "char", "block", "fifo"];

/** Any header that can be written, with a body size of at most `maxSize`. */
export function arbitraryHeader(maxSize: number): fc.Arbitrary<TarHeader> {
  const id = fc.oneof(fc.nat(70_000), fc.integer({ min: 2097150, max: 0xffffffff }));
  const time = fc.oneof(
    fc.bigInt({ min: 0n, max: 2_000_000_000n }).map((seconds) => seconds * 1_000_000_000n),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
  );
  return fc.record({
    path: arbitraryPath,
    type: fc.constantFrom(...TYPES),
    mode: fc.nat(0o7777),
    uid: id,
    gid: id,
    size: fc.nat(maxSize),
    mtimeNs: time,
    linkPath: arbitraryPath,
    devMajor: fc.nat(4095),
    devMinor: fc.nat(1048575),
    xattrs: arbitraryXattrs,
  }).map((header): TarHeader => {
    const isLink = header.type === "symlink" || header.type === "hardlink";
    const isDevice = header.type === "char" || header.type === "block";
    return {
      ...header,
      size: header.type === "file" ? header.size : 0,
      linkPath: isLink ? header.linkPath : rawPath(""),
      devMajor: isDevice ? header.devMajor : 0,
      devMinor: isDevice ? header.devMinor : 0,
    };
  });
}
