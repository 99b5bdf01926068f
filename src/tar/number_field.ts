/** The numeric fields of a 512-byte tar header: octal text, or base-256 where the value does not fit. Malformed is NaN. */

/**
 * The number in `bytes[at, at + length)`: octal digits padded with spaces or NULs, or two's complement base-256 when the
 * first bit is set (GNU). An empty field is 0; NaN for anything else, or beyond 2^53.
 *
 * @example
 * ```ts
 * import { readNumber } from "./number_field.ts";
 * import { equal } from "node:assert/strict";
 * equal(readNumber(new TextEncoder().encode("0000644\0"), 0, 8), 0o644);
 * ```
 */
export function readNumber(bytes: Uint8Array, at: number, length: number): number {
  if (((bytes[at] ?? 0) & 0x80) !== 0) return readBase256(bytes, at, length);
  const end = at + length;
  let i = at;
  while (i < end && isPadding(bytes[i])) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) {
    if (!isPadding(bytes[i])) return NaN;
    if (bytes[i] === 0) break; // old writers leave garbage behind the terminator
  }
  return value;
}

/** Writes `value` as `length - 1` octal digits and a NUL. The caller has made sure that it fits. */
export function writeOctal(bytes: Uint8Array, at: number, length: number, value: number): void {
  let rest = value;
  for (let i = at + length - 2; i >= at; i--) {
    bytes[i] = 0x30 + rest % 8;
    rest = Math.floor(rest / 8);
  }
  bytes[at + length - 1] = 0;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

function readBase256(bytes: Uint8Array, at: number, length: number): number {
  const isNegative = ((bytes[at] ?? 0) & 0x40) !== 0;
  let value = isNegative ? ((bytes[at] ?? 0) & 0x7f) - 0x80 : (bytes[at] ?? 0) & 0x3f;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + (bytes[i] ?? 0);
  return Number.isSafeInteger(value) ? value : NaN;
}
