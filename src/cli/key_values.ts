/** `NAME=VALUE` words of repeatable flags. */
import { UsageError } from "./flag.ts";

/**
 * The words of `--<flag>` as a map, later ones winning; split at the first "=". A word without "=" takes its value from
 * `fallback`, or is a UsageError where that gives none.
 */
export function keyValues(
  flag: string,
  words: readonly string[],
  fallback: (name: string) => string | undefined = () => undefined,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? fallback(name) : word.slice(equals + 1);
    if (name === "" || value === undefined) {
      throw new UsageError(`Cannot use "${word}" for --${flag}: expected NAME=VALUE`);
    }
    values.set(name, value);
  }
  return values;
}
