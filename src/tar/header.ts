/**
 * What a tar says about one member, and its encoding: a ustar block, with a PAX extended header before it only where
 * ustar cannot hold a value. Equal headers give equal bytes. Source: POSIX pax, ustar interchange format.
 */
import { FormatError } from "../errors.ts";
import { pathText, type RawPath } from "../sys/raw_path.ts";
import { writeOctal } from "./number_field.ts";
import { encodePaxRecords, formatPaxTime, latin1Bytes, type PaxRecord, xattrKeyword } from "./pax.ts";

/** What a member is. Contiguous files are files; sparse files are files whose holes are filled. */
export type TarEntryType = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** One member. User and group names are neither read nor written: a layer's ids are numeric. */
export interface TarHeader {
  /** As in the archive, so hostile; but cut at a NUL, and without trailing slashes (a directory has none either). */
  readonly path: RawPath;
  readonly type: TarEntryType;
  /** The twelve permission bits, suid, sgid and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the body, holes filled; 0 for anything but a file. */
  readonly size: number;
  readonly mtimeNs: bigint;
  /** Target of a symlink or hard link, as in the archive; else empty. */
  readonly linkPath: RawPath;
  /** Of a char or block device; else 0. */
  readonly devMajor: number;
  readonly devMinor: number;
  /** Extended attributes: name (one char code a byte) to value. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Tar's unit: headers are one block, bodies are padded to a multiple. */
export const BLOCK_BYTES = 512;
/** The xattrs of a member that has none. */
export const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;
const NS_PER_SECOND = 1_000_000_000n;
const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** What of a header goes into the ustar block; the rest is in the PAX records. */
interface UstarFields {
  readonly name: string;
  readonly prefix: string;
  readonly typeFlag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly linkName: string;
  readonly devMajor: number;
  readonly devMinor: number;
}

/**
 * The header blocks of a member, a multiple of 512 bytes; the body and its padding follow. A directory's name is
 * written with a slash at its end. Throws FormatError for what no tar can say: an empty name, a NUL in a name, a link
 * without a target, a number that is negative or no integer, a size on anything but a file.
 */
export function encodeHeader(header: TarHeader): Uint8Array {
  checkEncodable(header);
  const path = header.type === "directory" && !header.path.endsWith("/") ? `${header.path}/` : header.path;
  const split = splitPath(path);
  const records = paxRecords(header, path, split === undefined);
  const block = encodeBlock(ustarFields(header, path, split));
  if (records.length === 0) return block;
  const body = encodePaxRecords(records);
  const paxBlock = encodeBlock({ ...PAX_FIELDS, size: body.length });
  const bodyEnd = BLOCK_BYTES + Math.ceil(body.length / BLOCK_BYTES) * BLOCK_BYTES;
  const bytes = new Uint8Array(bodyEnd + BLOCK_BYTES);
  bytes.set(paxBlock);
  bytes.set(body, BLOCK_BYTES);
  bytes.set(block, bodyEnd);
  return bytes;
}

const PAX_FIELDS: UstarFields = {
  name: "PaxHeaders.0",
  prefix: "",
  typeFlag: "x",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  linkName: "",
  devMajor: 0,
  devMinor: 0,
};

function checkEncodable(header: TarHeader): void {
  const fail = (reason: string): never => {
    throw new FormatError(`Cannot write tar entry "${pathText(header.path)}": ${reason}`);
  };
  if (header.path === "") fail("its name is empty");
  if (header.path.includes("\0") || header.linkPath.includes("\0")) fail("its name or link target contains a NUL");
  if (header.type !== "directory" && header.path.endsWith("/")) fail("its name ends with a slash");
  const isLink = header.type === "symlink" || header.type === "hardlink";
  if (isLink && header.linkPath === "") fail("its link target is empty");
  if (header.type !== "file" && header.size !== 0) fail(`a ${header.type} has no size, but it says ${header.size}`);
  for (const field of ["mode", "uid", "gid", "size", "devMajor", "devMinor"] as const) {
    const value = header[field];
    if (!Number.isSafeInteger(value) || value < 0) fail(`${field} is ${value}`);
  }
  if (header.devMajor > MAX_OCTAL_7 || header.devMinor > MAX_OCTAL_7) fail("its device number is too large");
  if (header.xattrs.has("")) fail("an extended attribute has no name");
}

/** Name and prefix of the ustar block; undefined when the path needs a PAX record. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: "" };
  if (path.length > 256) return undefined;
  const slash = path.indexOf("/", path.length - 101);
  const isSplittable = slash > 0 && slash <= 155 && slash < path.length - 1;
  return isSplittable ? { name: path.slice(slash + 1), prefix: path.slice(0, slash) } : undefined;
}

function paxRecords(header: TarHeader, path: string, isPathLong: boolean): PaxRecord[] {
  const records: PaxRecord[] = [];
  const add = (keyword: string, text: string): number => records.push([keyword, latin1Bytes(text)]);
  if (isPathLong) add("path", path);
  if (isLinkLong(header.linkPath)) add("linkpath", header.linkPath);
  if (header.size > MAX_OCTAL_11) add("size", String(header.size));
  if (header.uid > MAX_OCTAL_7) add("uid", String(header.uid));
  if (header.gid > MAX_OCTAL_7) add("gid", String(header.gid));
  if (ustarSeconds(header.mtimeNs) === undefined) add("mtime", formatPaxTime(header.mtimeNs));
  for (const [name, value] of header.xattrs) records.push([xattrKeyword(name), value]);
  return records;
}

function ustarFields(
  header: TarHeader,
  path: string,
  split: { name: string; prefix: string } | undefined,
): UstarFields {
  return {
    name: split?.name ?? asciiStart(path),
    prefix: split?.prefix ?? "",
    typeFlag: TYPE_FLAGS[header.type],
    mode: header.mode & 0o7777,
    uid: header.uid > MAX_OCTAL_7 ? 0 : header.uid,
    gid: header.gid > MAX_OCTAL_7 ? 0 : header.gid,
    size: header.size > MAX_OCTAL_11 ? 0 : header.size,
    mtimeSeconds: ustarSeconds(header.mtimeNs) ?? 0,
    linkName: isLinkLong(header.linkPath) ? asciiStart(header.linkPath) : header.linkPath,
    devMajor: header.devMajor,
    devMinor: header.devMinor,
  };
}

function encodeBlock(fields: UstarFields): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  writeText(block, 0, fields.name);
  writeOctal(block, 100, 8, fields.mode);
  writeOctal(block, 108, 8, fields.uid);
  writeOctal(block, 116, 8, fields.gid);
  writeOctal(block, 124, 12, fields.size);
  writeOctal(block, 136, 12, fields.mtimeSeconds);
  writeText(block, 148, "        ");
  writeText(block, 156, fields.typeFlag);
  writeText(block, 157, fields.linkName);
  writeText(block, 257, "ustar\x0000");
  writeOctal(block, 329, 8, fields.devMajor);
  writeOctal(block, 337, 8, fields.devMinor);
  writeText(block, 345, fields.prefix);
  let sum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) sum += block[i] ?? 0;
  writeOctal(block, 148, 7, sum);
  return block;
}

/** Whole seconds that eleven octal digits hold, else undefined. */
function ustarSeconds(timeNs: bigint): number | undefined {
  if (timeNs < 0n || timeNs % NS_PER_SECOND !== 0n) return undefined;
  const seconds = Number(timeNs / NS_PER_SECOND);
  return seconds > MAX_OCTAL_11 ? undefined : seconds;
}

function isLinkLong(path: string): boolean {
  return path.length > 100 || !isAscii(path);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** What a reader that does not know PAX gets to see of a long name. */
function asciiStart(path: string): string {
  let text = "";
  for (let i = 0; i < path.length && i < 100; i++) text += path.charCodeAt(i) > 0x7f ? "_" : path[i];
  return text.replace(/\/+$/, "");
}

function writeText(block: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}
