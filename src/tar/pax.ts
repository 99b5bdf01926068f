/**
 * PAX extended header records, "<length> <keyword>=<value>\n". Values are bytes: an xattr such as security.capability is
 * binary and never passes through UTF-8. Source: POSIX pax, extended header; GNU tar for xattr keywords.
 */
import { TarFault } from "./_fault.ts";

/** One record. The keyword has one char code a byte, as RawPath has. */
export type PaxRecord = readonly [keyword: string, value: Uint8Array];

/** Keyword prefix of extended attributes, as star, GNU tar and Go write them. */
export const XATTR_PREFIX = "SCHILY.xattr.";

const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const MAX_CALL_ARGUMENTS = 8192;

/**
 * Reads the records of one extended header, in order, duplicates included. Values are views of `bytes`.
 * Throws FormatError saying which record is broken.
 *
 * @example
 * ```ts
 * import { parsePaxRecords } from "./pax.ts";
 * import { equal } from "node:assert/strict";
 * const [record] = parsePaxRecords(new TextEncoder().encode("9 path=a\n"));
 * equal(record?.[0], "path");
 * ```
 */
export function parsePaxRecords(bytes: Uint8Array): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const { length, start } = readLength(bytes, at);
    const end = at + length;
    if (end > bytes.length || end <= start || bytes[end - 1] !== NEWLINE) throw brokenRecord(at);
    const equals = bytes.indexOf(EQUALS, start);
    if (equals <= start || equals >= end - 1) throw brokenRecord(at);
    records.push([latin1Text(bytes, start, equals), bytes.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** The bytes of `records`, sorted by keyword so that equal records give equal bytes. */
export function encodePaxRecords(records: readonly PaxRecord[]): Uint8Array {
  const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const parts = sorted.map(encodeRecord);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The keyword of an extended attribute; "=" and "%" are escaped as GNU tar does. */
export function xattrKeyword(name: string): string {
  return XATTR_PREFIX + name.replaceAll("%", "%25").replaceAll("=", "%3D");
}

/** The extended attribute that `keyword` names, or undefined when it names none. */
export function xattrName(keyword: string): string | undefined {
  if (!keyword.startsWith(XATTR_PREFIX) || keyword.length === XATTR_PREFIX.length) return undefined;
  return keyword.slice(XATTR_PREFIX.length).replaceAll("%3D", "=").replaceAll("%25", "%");
}

/** `bytes[start, end)` as text of one char code a byte. */
export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= MAX_CALL_ARGUMENTS) return Reflect.apply(String.fromCharCode, null, bytes.subarray(start, end));
  let text = "";
  for (let at = start; at < end; at += MAX_CALL_ARGUMENTS) {
    text += latin1Text(bytes, at, Math.min(end, at + MAX_CALL_ARGUMENTS));
  }
  return text;
}

/** The bytes of a text of one char code a byte. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A PAX time, "[-]seconds[.fraction]", in nanoseconds; digits beyond the ninth are cut. Undefined when malformed. */
export function parsePaxTime(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,19})(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = "", seconds = "0", fraction = ""] = match;
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return sign === "-" ? -nanoseconds : nanoseconds;
}

/** The PAX form of a time in nanoseconds, without trailing zeros. */
export function formatPaxTime(timeNs: bigint): string {
  const absolute = timeNs < 0n ? -timeNs : timeNs;
  const fraction = String(absolute % 1_000_000_000n).padStart(9, "0").replace(/0+$/, "");
  const sign = timeNs < 0n ? "-" : "";
  return `${sign}${absolute / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}`;
}

function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  let length = 0;
  for (let i = at; i < at + 10; i++) {
    const byte = bytes[i];
    if (byte === SPACE && i > at) return { length, start: i + 1 };
    if (byte === undefined || byte < 0x30 || byte > 0x39) break;
    length = length * 10 + byte - 0x30;
  }
  throw brokenRecord(at);
}

function encodeRecord([keyword, value]: PaxRecord): Uint8Array {
  const rest = 1 + keyword.length + 1 + value.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== length - rest) length = rest + String(length).length;
  const bytes = new Uint8Array(length);
  const head = latin1Bytes(`${length} ${keyword}=`);
  bytes.set(head);
  bytes.set(value, head.length);
  bytes[length - 1] = NEWLINE;
  return bytes;
}

function brokenRecord(at: number): TarFault {
  return new TarFault(`extended header record at byte ${at} is malformed`);
}
