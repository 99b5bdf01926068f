import { strictEqual } from "node:assert/strict";
import { formatGoDuration, formatGoList, quoteGo, quoteGoInteger, quoteGoList } from "../../../src/plan/go_format.ts";

const QUOTED: readonly (readonly [text: string, quoted: string])[] = [
  ["", '""'],
  ["plain é 漢 😀", '"plain é 漢 😀"'],
  ["a\"b\\c'", '"a\\"b\\\\c\'"'],
  ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
  ["\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'],
  ["\u0085\u00a0\u200b", '"\\u0085\\u00a0\\u200b"'],
  ["\ud800", '"\\ufffd"'],
  ["\u{e0001}", '"\\U000e0001"'],
];

for (const [text, quoted] of QUOTED) {
  Deno.test(`quoteGo gives ${quoted}`, () => strictEqual(quoteGo(text), quoted));
}

const DURATIONS: readonly (readonly [nanoseconds: number, text: string])[] = [
  [0, "0s"],
  [1, "1ns"],
  [1500, "1.5µs"],
  [1_000_000, "1ms"],
  [2_500_000, "2.5ms"],
  [30e9, "30s"],
  [90e9, "1m30s"],
  [3600e9, "1h0m0s"],
  [3_723_500_000_000, "1h2m3.5s"],
  [1_000_000_001, "1.000000001s"],
];

for (const [nanoseconds, text] of DURATIONS) {
  Deno.test(`formatGoDuration gives ${text}`, () => strictEqual(formatGoDuration(nanoseconds), text));
}

Deno.test("quoteGoList puts blanks between quoted items", () => {
  strictEqual(quoteGoList(["a", "b c"]), '["a" "b c"]');
  strictEqual(quoteGoList([]), "[]");
});

Deno.test("formatGoList puts blanks between bare items", () => {
  strictEqual(formatGoList(["80/tcp", "a b"]), "[80/tcp a b]");
  strictEqual(formatGoList([]), "[]");
});

Deno.test("quoteGoInteger gives the character of that number", () => {
  strictEqual(quoteGoInteger(0), "'\\x00'");
  strictEqual(quoteGoInteger(39), "'\\''");
  strictEqual(quoteGoInteger(65), "'A'");
  strictEqual(quoteGoInteger(-1), "'\ufffd'");
  strictEqual(quoteGoInteger(0x110000), "'\ufffd'");
});
