/**
 * Text as Go's fmt package writes it: BuildKit puts `%q` and `%v` forms into the history, and equal builds should read
 * the same there. Source: strconv.Quote, strconv.QuoteRune, time.Duration.String.
 */

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
]);
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const MAX_CODE_POINT = 0x10ffff;
const REPLACEMENT = 0xfffd;
/** Largest first. */
const DURATION_UNITS: readonly (readonly [name: string, nanoseconds: number])[] = [["s", 1e9], ["ms", 1e6], [
  "µs",
  1e3,
]];

/**
 * Quotes `text` as `%q` does.
 * @example
 * ```ts
 * import { quoteGo } from "./go_format.ts";
 * import { equal } from "node:assert/strict";
 * equal(quoteGo('say "hi"\n'), '"say \\"hi\\"\\n"');
 * ```
 */
export function quoteGo(text: string): string {
  return `"${[...text].map((character) => escapeCharacter(character, '"')).join("")}"`;
}

/** Quotes a list as `%q` does: `["a" "b"]`. */
export function quoteGoList(items: readonly string[]): string {
  return `[${items.map(quoteGo).join(" ")}]`;
}

/** Writes an integer as `%q` does: as the character it numbers, `'\x03'` for 3. */
export function quoteGoInteger(value: number): string {
  const isCodePoint = value >= 0 && value <= MAX_CODE_POINT;
  return `'${escapeCharacter(String.fromCodePoint(isCodePoint ? value : REPLACEMENT), "'")}'`;
}

/** Writes a list as `%v` does: `[a b]`. */
export function formatGoList(items: readonly string[]): string {
  return `[${items.join(" ")}]`;
}

/** Writes a duration in nanoseconds as Go does: `1h2m3.5s`, `1m30s`, `5ms`, `0s`. */
export function formatGoDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e9) {
    const [name, size] = DURATION_UNITS.find(([, unit]) => nanoseconds >= unit) ?? ["ns", 1];
    return `${formatFraction(nanoseconds, size)}${name}`;
  }
  const minutes = Math.floor(nanoseconds / 60e9);
  const seconds = `${formatFraction(nanoseconds - minutes * 60e9, 1e9)}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** `value / unit` in decimal, exactly: no digit of it is beyond the unit. */
function formatFraction(value: number, unit: number): string {
  const whole = Math.floor(value / unit);
  const rest = String(value - whole * unit).padStart(String(unit).length - 1, "0").replace(/0+$/, "");
  return rest === "" || unit === 1 ? String(whole) : `${whole}.${rest}`;
}

function escapeCharacter(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const named = NAMED_ESCAPES.get(character);
  if (named !== undefined) return named;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? REPLACEMENT;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  if (code >= 0xd800 && code <= 0xdfff) return `\\u${hex(REPLACEMENT, 4)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
