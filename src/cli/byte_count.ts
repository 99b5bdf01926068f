/** Sizes on the command line: "500MB", "128GiB", or bytes. */
import { UsageError } from "./flag.ts";

/**
 * The number of bytes that `text` says; k, M, G and T with B are powers of 1000, with iB or alone of 1024. Throws UsageError.
 *
 * @example
 * ```ts
 * import { byteCount } from "./byte_count.ts";
 * import { equal } from "node:assert/strict";
 * equal(byteCount("max-layer-size", "2MiB"), 2_097_152);
 * ```
 */
export function byteCount(flag: string, text: string): number {
  const match = /^(\d{1,15})\s*(?:([kmgt])(i?b)?|b)?$/i.exec(text.trim());
  if (match === null) {
    throw new UsageError(`Cannot use "${text}" for --${flag}: expected a size such as 500MB or 128GiB`);
  }
  const [, digits = "", unit = "", ending = ""] = match;
  const power = "kmgt".indexOf(unit.toLowerCase()) + 1;
  const count = Number(digits) * (ending.toLowerCase() === "b" ? 1000 : 1024) ** (unit === "" ? 0 : power);
  if (count > 0 && Number.isSafeInteger(count)) return count;
  throw new UsageError(`Cannot use "${text}" for --${flag}: it is out of range`);
}
