/**
 * Durations as HEALTHCHECK writes them: Go's syntax, such as "1m30s", "1.5h" or "250ms".
 */

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  "\u00b5s": 1000n,
  "\u03bcs": 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PART = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/;
/** The largest duration of Go, 2^63-1 ns. */
const MAX_NANOSECONDS = 9_223_372_036_854_775_807n;
/** Digits after the point that can matter at all; and more before it than any duration has. */
const MAX_DIGITS = 20;

/** Parses a duration into nanoseconds (rounded to a double's precision); undefined when it is not one or too large. */
export function parseDuration(text: string): number | undefined {
  const isNegative = text.startsWith("-");
  let rest = isNegative || text.startsWith("+") ? text.slice(1) : text;
  if (rest === "0") return 0;
  if (rest === "") return undefined;
  let total = 0n;
  while (rest !== "") {
    const match = PART.exec(rest);
    if (match === null) return undefined;
    const [whole, integer = "", fraction = "", unit = ""] = match;
    const nanoseconds = parsePart(integer, fraction, unit);
    if (nanoseconds === undefined) return undefined;
    total += nanoseconds;
    rest = rest.slice(whole.length);
  }
  if (total > MAX_NANOSECONDS) return undefined;
  return Number(isNegative ? -total : total);
}

function parsePart(integer: string, fraction: string, unit: string): bigint | undefined {
  const scale = Object.hasOwn(NANOSECONDS, unit) ? NANOSECONDS[unit] : undefined;
  if (scale === undefined || integer.length + fraction.length === 0 || integer.length > MAX_DIGITS) return undefined;
  const digits = fraction.slice(0, MAX_DIGITS);
  return BigInt(`0${integer}`) * scale + (BigInt(`0${digits}`) * scale) / 10n ** BigInt(digits.length);
}
