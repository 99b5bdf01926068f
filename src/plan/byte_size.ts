/** Sizes as people write them for memory: `128m`, `1.5GiB`, `64 kb`. Powers of 1024. Source: go-units, RAMInBytes. */

const UNITS = ["", "k", "m", "g", "t", "p"];
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i;

/**
 * The bytes that `text` means, or undefined when it is no size.
 * @example
 * ```ts
 * import { parseByteSize } from "./byte_size.ts";
 * import { equal } from "node:assert/strict";
 * equal(parseByteSize("128m"), 128 * 1024 * 1024);
 * ```
 */
export function parseByteSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** UNITS.indexOf((match[2] ?? "").toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
