/**
 * Whether a file is an archive that ADD unpacks: told by content alone, never by name. A file whose first tar header
 * cannot be read, however it is compressed, is plain data.
 */
import { FormatError, isBuilderError } from "../errors.ts";
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import type { RawPath } from "../sys/raw_path.ts";
import { AT_CWD } from "../sys/stat.ts";
import { TarParser } from "../tar/read.ts";

/** Turns a compressed stream, told by its first bytes, into a plain one; a plain one passes unchanged. */
export type Decompress = (stream: ReadableStream<Uint8Array>) => Promise<ReadableStream<Uint8Array>>;

const CHUNK_BYTES = 256 * 1024;
const MAGIC_BYTES = 512;
/** gzip, bzip2, xz, zstd, and zstd's skippable frames. */
const MAGICS: readonly (readonly number[])[] = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];
const TAR_MAGIC_OFFSET = 257;
const CHECKSUM_OFFSET = 148;

/** The plain tar stream of the file at the absolute host `path`; the caller reads it to its end or cancels it. */
export async function openArchive(path: RawPath, decompress: Decompress): Promise<ReadableStream<Uint8Array>> {
  const stream = fileStream(path);
  return isCompressed(readStart(path)) ? await decompress(stream) : stream;
}

/**
 * Whether the file at the absolute host `path` is a tar, plain or compressed. Throws UnsupportedError when it is
 * compressed in a way that cannot be read here.
 */
export async function isArchive(path: RawPath, decompress: Decompress, signal: AbortSignal): Promise<boolean> {
  const start = readStart(path);
  if (!isCompressed(start) && !mayBeTar(start)) return false;
  try {
    return await hasTarMember(await openArchive(path, decompress), signal);
  } catch (error: unknown) {
    signal.throwIfAborted();
    if (isBuilderError(error) && !(error instanceof FormatError)) throw error;
    return false; // Broken compressed data is data.
  }
}

async function hasTarMember(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<boolean> {
  let isFound = false;
  const parser = new TarParser({ entry: () => void (isFound = true), body: () => {}, end: () => {}, hole: () => {} });
  const reader = stream.getReader();
  try {
    while (!isFound) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return false;
      for (let at = 0; at < value.length && !isFound; at += MAGIC_BYTES) {
        parser.push(value.subarray(at, at + MAGIC_BYTES));
      }
    }
    return true;
  } finally {
    await reader.cancel().catch(() => {}); // What was asked is known; a stream that broke may not be cancelled.
    reader.releaseLock();
  }
}

function isCompressed(start: Uint8Array): boolean {
  return MAGICS.some((magic) => magic.every((byte, index) => start[index] === byte));
}

/** A cheap look that spares plain files the parser: "ustar", or digits where old tars have their checksum. */
function mayBeTar(start: Uint8Array): boolean {
  if (start.length < MAGIC_BYTES) return false;
  const text = String.fromCharCode(...start.subarray(TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5));
  const checksum = String.fromCharCode(...start.subarray(CHECKSUM_OFFSET, CHECKSUM_OFFSET + 8));
  return text === "ustar" || /^ *[0-7]+[ \0]*$/.test(checksum);
}

function readStart(path: RawPath): Uint8Array {
  const fd = openFileForReading(AT_CWD, path);
  try {
    const buffer = new Uint8Array(MAGIC_BYTES);
    let filled = 0;
    for (let count = -1; count !== 0 && filled < buffer.length; filled += count) {
      count = readFile(fd, buffer.subarray(filled), path);
    }
    return buffer.subarray(0, filled);
  } finally {
    closeFile(fd);
  }
}

function fileStream(path: RawPath): ReadableStream<Uint8Array> {
  const fd = openFileForReading(AT_CWD, path);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeFile(fd);
    isOpen = false;
  };
  return new ReadableStream<Uint8Array>({
    pull(controller): void {
      const buffer = new Uint8Array(CHUNK_BYTES);
      try {
        const count = readFile(fd, buffer, path);
        if (count > 0) return controller.enqueue(buffer.subarray(0, count));
      } catch (error: unknown) {
        close();
        throw error;
      }
      close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}
