/**
 * One 512-byte header block, with what extension records say about it, as a member. Understands v7, ustar, GNU and star
 * blocks. Source: POSIX pax, ustar interchange format; GNU tar manual, basic tar format.
 */
import type { RawPath } from "../sys/raw_path.ts";
import { TarFault } from "./_fault.ts";
import { BLOCK_BYTES, NO_XATTRS, type TarEntryType, type TarHeader } from "./header.ts";
import { readNumber } from "./number_field.ts";
import { latin1Text, parsePaxTime, type PaxRecord, xattrName } from "./pax.ts";
import { checkSparseParts, readGnuParts, readPaxSparse, type SparsePart } from "./sparse.ts";

/** What blocks before a header said about it: GNU long names, PAX records in order. */
export interface HeaderExtension {
  readonly longPath?: RawPath;
  readonly longLink?: RawPath;
  readonly records?: readonly PaxRecord[];
}

/** A header, and how its body is stored. */
export interface Member {
  readonly header: TarHeader;
  /** Bytes that follow in the archive, padding not counted. */
  readonly storedBytes: number;
  /** Set for a sparse file. `parts` undefined: the map starts the stored bytes (PAX 1.0). */
  readonly sparse?: { readonly parts: readonly SparsePart[] | undefined; readonly hasMoreBlocks: boolean };
}

const NS_PER_SECOND = 1_000_000_000n;
const MAX_ID = 0xffffffff;
const CHECKSUM_AT = 148;
const TYPE_FLAG_AT = 156;
const SLASH = 0x2f;

/** Whether all 512 bytes are zero. */
export function isZeroBlock(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + BLOCK_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Whether the block's checksum is right, summed over unsigned bytes or, as some old writers did, signed ones. */
export function isChecksumRight(bytes: Uint8Array, at: number): boolean {
  const stated = readNumber(bytes, at + CHECKSUM_AT, 8);
  let sum = 8 * 0x20;
  for (let i = at; i < at + CHECKSUM_AT; i++) sum += bytes[i] ?? 0;
  for (let i = at + CHECKSUM_AT + 8; i < at + BLOCK_BYTES; i++) sum += bytes[i] ?? 0;
  return sum === stated || sum - 256 * countHighBytes(bytes, at) === stated;
}

/** The type flag of a block, one char. */
export function typeFlag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at + TYPE_FLAG_AT] ?? 0);
}

/** The size field of a block. Throws FormatError when it is negative or malformed. */
export function storedSize(bytes: Uint8Array, at: number): number {
  return field(bytes, at + 124, 12, "size");
}

/** Reads the block at `at`. Throws FormatError with the reason alone. */
export function readMember(bytes: Uint8Array, at: number, extension: HeaderExtension | undefined): Member {
  const name = extension?.longPath ?? blockPath(bytes, at);
  try {
    if (extension?.records !== undefined) return readPaxMember(bytes, at, extension, extension.records, name);
    const header = readBlockHeader(bytes, at, name, extension?.longLink);
    return typeFlag(bytes, at) === "S" ? gnuSparseMember(bytes, at, header) : finishMember(header, header.size);
  } catch (error: unknown) {
    throw error instanceof TarFault && error.path === undefined ? new TarFault(error.message, name) : error;
  }
}

function readBlockHeader(bytes: Uint8Array, at: number, path: RawPath, longLink: RawPath | undefined): TarHeader {
  const type = entryType(bytes, at, path);
  const isLink = type === "symlink" || type === "hardlink";
  const isDevice = type === "char" || type === "block";
  const seconds = readNumber(bytes, at + 136, 12);
  if (Number.isNaN(seconds)) throw new TarFault("its mtime is malformed");
  return {
    path,
    type,
    mode: field(bytes, at + 100, 8, "mode") & 0o7777,
    uid: field(bytes, at + 108, 8, "uid"),
    gid: field(bytes, at + 116, 8, "gid"),
    size: type === "file" ? storedSize(bytes, at) : 0,
    mtimeNs: BigInt(seconds) * NS_PER_SECOND,
    linkPath: isLink ? longLink ?? blockText(bytes, at + 157, 100) : NO_PATH,
    devMajor: isDevice ? field(bytes, at + 329, 8, "device number") : 0,
    devMinor: isDevice ? field(bytes, at + 337, 8, "device number") : 0,
    xattrs: NO_XATTRS,
  };
}

function readPaxMember(
  bytes: Uint8Array,
  at: number,
  extension: HeaderExtension,
  records: readonly PaxRecord[],
  name: RawPath,
): Member {
  const values = new Map<string, string>();
  const xattrs = new Map<string, Uint8Array>();
  for (const [keyword, value] of records) {
    const xattr = xattrName(keyword);
    if (xattr !== undefined) xattrs.set(xattr, value.slice());
    else if (!keyword.startsWith("GNU.sparse.")) values.set(keyword, latin1Text(value, 0, value.length));
  }
  const sparse = readPaxSparse(records);
  const path = cutAtNul(sparse?.path || values.get("path") || name);
  const block = readBlockHeader(bytes, at, path, cutAtNul(values.get("linkpath") || "") || extension.longLink);
  const storedBytes = block.type === "file" ? paxNumber(values, "size") ?? block.size : 0;
  const header: TarHeader = {
    ...block,
    size: sparse?.sizeBytes ?? storedBytes,
    uid: paxNumber(values, "uid") ?? block.uid,
    gid: paxNumber(values, "gid") ?? block.gid,
    mtimeNs: paxTime(values) ?? block.mtimeNs,
    xattrs: xattrs.size === 0 ? NO_XATTRS : xattrs,
  };
  if (sparse === undefined) {
    return typeFlag(bytes, at) === "S" ? gnuSparseMember(bytes, at, header) : finishMember(header, storedBytes);
  }
  if (header.type !== "file") throw new TarFault(`it is a sparse ${header.type}`);
  if (sparse.parts !== undefined) checkSparseParts(sparse.parts, header.size, storedBytes);
  return finishMember(header, storedBytes, { parts: sparse.parts, hasMoreBlocks: false });
}

function gnuSparseMember(bytes: Uint8Array, at: number, header: TarHeader): Member {
  const realSize = field(bytes, at + 483, 12, "real size");
  const parts = readGnuParts(bytes, at + 386, 4);
  return finishMember({ ...header, size: realSize }, header.size, { parts, hasMoreBlocks: bytes[at + 482] === 1 });
}

function finishMember(header: TarHeader, storedBytes: number, sparse?: Member["sparse"]): Member {
  const path = withoutTrailingSlashes(header.path);
  if (path === "") throw new TarFault("it has no name");
  const isLink = header.type === "symlink" || header.type === "hardlink";
  if (isLink && header.linkPath === "") throw new TarFault("its link target is empty", path);
  if (header.uid > MAX_ID || header.gid > MAX_ID) throw new TarFault("its uid or gid is too large", path);
  const clean = path === header.path ? header : { ...header, path };
  return sparse === undefined ? { header: clean, storedBytes } : { header: clean, storedBytes, sparse };
}

function entryType(bytes: Uint8Array, at: number, path: RawPath): TarEntryType {
  const flag = typeFlag(bytes, at);
  switch (flag) {
    case "0":
    case "\0":
    case "7":
      return path.endsWith("/") ? "directory" : "file"; // as tars from before type "5" say it
    case "S":
      return "file";
    case "1":
      return "hardlink";
    case "2":
      return "symlink";
    case "3":
      return "char";
    case "4":
      return "block";
    case "5":
      return "directory";
    case "6":
      return "fifo";
    default:
      throw new TarFault(`its type flag ${JSON.stringify(flag)} is not supported`, path);
  }
}

/** Name and prefix. GNU's blocks have other things where ustar's have the prefix; star's prefix is shorter. */
function blockPath(bytes: Uint8Array, at: number): RawPath {
  const name = blockText(bytes, at, 100);
  if (bytes[at + 345] === 0 || blockText(bytes, at + 257, 6) !== "ustar" || bytes[at + 262] !== 0) return name;
  const isStar = blockText(bytes, at + 508, 4) === "tar";
  return `${blockText(bytes, at + 345, isStar ? 131 : 155)}/${name}` as RawPath;
}

function blockText(bytes: Uint8Array, at: number, length: number): RawPath {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end++;
  return (end === at ? NO_PATH : latin1Text(bytes, at, end)) as RawPath;
}

/** `text` up to its first NUL, one char code a byte. */
export function cutAtNul(text: string): RawPath {
  const nul = text.indexOf("\0");
  return (nul < 0 ? text : text.slice(0, nul)) as RawPath;
}

function withoutTrailingSlashes(path: RawPath): RawPath {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === SLASH) end--;
  return (end === path.length ? path : path.slice(0, end)) as RawPath;
}

function field(bytes: Uint8Array, at: number, length: number, what: string): number {
  const value = readNumber(bytes, at, length);
  if (!(value >= 0)) throw new TarFault(`its ${what} is ${value < 0 ? "negative" : "malformed"}`);
  return value;
}

function paxNumber(values: ReadonlyMap<string, string>, keyword: string): number | undefined {
  const text = values.get(keyword) || undefined;
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new TarFault(`its ${keyword} is "${text}"`);
  return value;
}

function paxTime(values: ReadonlyMap<string, string>): bigint | undefined {
  const text = values.get("mtime") || undefined;
  if (text === undefined) return undefined;
  const time = parsePaxTime(text);
  if (time === undefined) throw new TarFault(`its mtime is "${text}"`);
  return time;
}

function countHighBytes(bytes: Uint8Array, at: number): number {
  let count = 0;
  for (let i = at; i < at + BLOCK_BYTES; i++) {
    const isChecksum = i >= at + CHECKSUM_AT && i < at + CHECKSUM_AT + 8;
    if (!isChecksum && (bytes[i] ?? 0) > 0x7f) count++;
  }
  return count;
}

const NO_PATH = "" as RawPath;
