/** Go's durations. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDuration } from "../../../src/dockerfile/parse_duration.ts";

for (
  const [text, nanoseconds] of [
    ["0", 0],
    ["-0", 0],
    ["0s", 0],
    ["1ns", 1],
    ["1us", 1000],
    ["1\u00b5s", 1000],
    ["1\u03bcs", 1000],
    ["250ms", 250_000_000],
    ["1s", 1_000_000_000],
    ["1m30s", 90_000_000_000],
    ["1h", 3_600_000_000_000],
    ["1.5h", 5_400_000_000_000],
    [".5s", 500_000_000],
    ["5.s", 5_000_000_000],
    ["0.000000001s", 1],
    ["0.0000000001s", 0],
    ["-1.5s", -1_500_000_000],
    ["+2s", 2_000_000_000],
    ["1h2m3s4ms5us6ns", 3_723_004_005_006],
    ["2562047h47m16s", 9_223_372_036_000_000_000],
    ["", undefined],
    ["5", undefined],
    ["s", undefined],
    [".s", undefined],
    ["1x", undefined],
    ["1 s", undefined],
    ["1s ", undefined],
    ["1S", undefined],
    ["--1s", undefined],
    ["1s-1s", undefined],
    ["1e3s", undefined],
    ["-", undefined],
    ["1d", undefined],
    ["3000000h", undefined],
    ["1constructor", undefined],
    [`${"9".repeat(400)}s`, undefined],
  ] as const
) {
  Deno.test(`parseDuration gives ${nanoseconds} when the text is ${JSON.stringify(text.slice(0, 20))}`, () => {
    const parsed = parseDuration(text);
    assert.equal(parsed === 0 ? 0 : parsed, nanoseconds);
  });
}

Deno.test("parseDuration adds up hours, minutes and milliseconds when all are written", () => {
  const part = fc.nat(10_000);
  fc.assert(fc.property(part, part, part, (hours, minutes, milliseconds) => {
    const expected = (hours * 3600 + minutes * 60) * 1e9 + milliseconds * 1e6;
    assert.equal(parseDuration(`${hours}h${minutes}m${milliseconds}ms`), expected);
  }));
});
