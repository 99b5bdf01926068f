/** Bytes to lines. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { MAX_LINE_BYTES, splitPhysicalLines } from "../../../src/dockerfile/physical_lines.ts";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("splitPhysicalLines keeps each line end apart when they differ", () => {
  assert.deepEqual(splitPhysicalLines(encode("a\r\nb\n\r\r\nc\rd")), [
    { text: "a", ending: "\r\n", isText: true },
    { text: "b", ending: "\n", isText: true },
    { text: "", ending: "\r\r\n", isText: true },
    { text: "c\rd", ending: "", isText: true },
  ]);
});

Deno.test("splitPhysicalLines drops a byte order mark when it begins the file, and no other", () => {
  const lines = splitPhysicalLines(encode("\ufeffa\n\ufeffb"));
  assert.deepEqual(lines.map(({ text }) => text), ["a", "\ufeffb"]);
});

Deno.test("splitPhysicalLines marks a line when its bytes are not UTF-8", () => {
  const [first, second] = splitPhysicalLines(Uint8Array.of(0x61, 0xff, 0x0a, 0x62));
  assert.deepEqual([first?.text, first?.isText], ["a\ufffd", false]);
  assert.deepEqual([second?.text, second?.isText], ["b", true]);
});

Deno.test("splitPhysicalLines takes a line of 65535 bytes and refuses one more when measuring lines", () => {
  const longest = `${"é".repeat((MAX_LINE_BYTES - 1) / 2)}a`;
  assert.equal(splitPhysicalLines(encode(`${longest}\n${longest}`)).length, 2);
  assert.throws(() => splitPhysicalLines(encode(`a\n${longest}b\n`)), (error: unknown) => {
    assert.ok(error instanceof DockerfileError);
    assert.match(error.message, /line 2: it is longer than the allowed 65535 bytes/);
    assert.deepEqual(error.range, { startLine: 2, endLine: 2 });
    return true;
  });
});

Deno.test("splitPhysicalLines loses nothing when its lines are put together again", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "é", "\r", "\n", " ") }), (text) => {
    const lines = splitPhysicalLines(encode(text));
    assert.equal(lines.map((line) => line.text + line.ending).join(""), text);
  }));
});
