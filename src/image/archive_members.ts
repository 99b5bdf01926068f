/** Where the members of an uncompressed tar file lie, so that single ones can be read again and again without the rest. */
import { FormatError } from "../errors.ts";
import { BLOCK_BYTES } from "../tar/header.ts";
import {
  cutAtNul,
  type HeaderExtension,
  isChecksumRight,
  isZeroBlock,
  readMember,
  storedSize,
  typeFlag,
} from "../tar/parse_header.ts";
import { latin1Text, parsePaxRecords } from "../tar/pax.ts";
import { tarPadding } from "../tar/write.ts";

/** Bytes of one member in the file. */
export interface ArchiveSlice {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** The members of an archive, links already followed. */
export type ArchiveMembers = ReadonlyMap<string, ArchiveSlice>;

/**
 * Reads the headers of the tar in `path` and skips the bodies. Throws FormatError for what is no tar, is cut off or has
 * absurdly many members, and Deno's error where the file cannot be read.
 */
export async function listMembers(path: string, signal?: AbortSignal): Promise<ArchiveMembers> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const slices = new Map<string, ArchiveSlice>();
  const links = new Map<string, string>();
  let extension: HeaderExtension | undefined;
  for (let offset = 0; offset + BLOCK_BYTES <= size;) {
    signal?.throwIfAborted();
    const block = await readAt(file, offset, BLOCK_BYTES, path);
    if (isZeroBlock(block, 0)) break;
    checkBlock(block, offset, path);
    offset += BLOCK_BYTES;
    const flag = typeFlag(block, 0);
    if (EXTENSION_FLAGS.has(flag)) {
      const bodyBytes = storedSize(block, 0);
      if (bodyBytes > MAX_EXTENSION_BYTES) throw broken(path, "an extended header is too large");
      extension = extended(extension, flag, await readAt(file, offset, bodyBytes, path));
      offset += bodyBytes + tarPadding(bodyBytes);
      continue;
    }
    if (flag === "g") {
      offset += storedSize(block, 0) + tarPadding(storedSize(block, 0));
      continue;
    }
    const { header, storedBytes } = readMember(block, 0, extension);
    extension = undefined;
    if (offset + storedBytes > size) throw broken(path, `it is cut off within "${header.path}"`);
    if (slices.size + links.size >= MAX_MEMBERS) throw broken(path, `it has more than ${MAX_MEMBERS} members`);
    const name = plainName(header.path);
    if (header.type === "file") slices.set(name, { offset, sizeBytes: storedBytes });
    else if (header.type === "symlink") links.set(name, resolveLink(name, header.linkPath));
    else if (header.type === "hardlink") links.set(name, plainName(header.linkPath));
    offset += storedBytes + tarPadding(storedBytes);
  }
  return withLinks(slices, links);
}

/** The bytes of `slice` of the file in `path`. The reader owns the stream. */
export async function openSlice(path: string, slice: ArchiveSlice): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path);
  try {
    await file.seek(slice.offset, Deno.SeekMode.Start);
  } catch (error: unknown) {
    file.close();
    throw error;
  }
  let left = slice.sizeBytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, left));
      const count = left === 0 ? null : await file.read(buffer);
      if (count === null) {
        file.close();
        return controller.close();
      }
      left -= count;
      controller.enqueue(buffer.subarray(0, count));
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

function checkBlock(block: Uint8Array, offset: number, path: string): void {
  if (isChecksumRight(block, 0)) return;
  if (offset > 0) throw broken(path, `the header at byte ${offset} is broken`);
  const isCompressed = block[0] === 0x1f && block[1] === 0x8b;
  throw broken(path, isCompressed ? "it is compressed; decompress it first" : "it is not a tar archive");
}

function extended(before: HeaderExtension | undefined, flag: string, body: Uint8Array): HeaderExtension {
  if (flag === "x" || flag === "X") {
    return { ...before, records: [...(before?.records ?? []), ...parsePaxRecords(body)] };
  }
  const path = cutAtNul(latin1Text(body, 0, body.length));
  return { ...before, ...(flag === "L" ? { longPath: path } : { longLink: path }) };
}

async function readAt(file: Deno.FsFile, offset: number, count: number, path: string): Promise<Uint8Array> {
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(count);
  for (let filled = 0; filled < count;) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) throw broken(path, "it is cut off");
    filled += read;
  }
  return bytes;
}

function plainName(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
}

/** Old archives name a layer that occurs twice by a symbolic link: "../<id>/layer.tar". */
function resolveLink(name: string, target: string): string {
  const parts = name.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function withLinks(slices: Map<string, ArchiveSlice>, links: ReadonlyMap<string, string>): ArchiveMembers {
  const all = new Map(slices);
  for (const [name, target] of links) {
    const slice = slices.get(target);
    if (slice !== undefined) all.set(name, slice);
  }
  return all;
}

function broken(path: string, reason: string): FormatError {
  return new FormatError(`Cannot read archive "${path}": ${reason}`);
}

const EXTENSION_FLAGS: ReadonlySet<string> = new Set(["x", "X", "L", "K"]);
const MAX_EXTENSION_BYTES = 1024 * 1024;
const MAX_MEMBERS = 100_000;
const CHUNK_BYTES = 256 * 1024;
