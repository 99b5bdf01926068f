import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { OutputTail } from "../../../src/runner/output_tail.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("OutputTail keeps the last twenty lines of both streams in order", () => {
  const tail = new OutputTail();
  for (let i = 0; i < 30; i++) tail.add(i % 2 === 0 ? "stdout" : "stderr", bytes(`line ${i}\r\n`));
  deepEqual(tail.lines(), Array.from({ length: 20 }, (_, i) => `line ${i + 10}`));
});

Deno.test("OutputTail counts an unfinished line", () => {
  const tail = new OutputTail();
  tail.add("stdout", bytes("one\ntw"));
  tail.add("stderr", bytes("err"));
  tail.add("stdout", bytes("o"));
  deepEqual(tail.lines(), ["one", "two", "err"]);
});

Deno.test("OutputTail gives the same lines however the bytes are cut", () => {
  const text = "first\nzweite Zeile ü\n\nthird 日本\nrest";
  const all = bytes(text);
  fc.assert(fc.property(fc.array(fc.nat(all.length), { maxLength: 6 }), (cuts) => {
    const tail = new OutputTail();
    const ends = [...cuts, all.length].sort((a, b) => a - b);
    let start = 0;
    for (const end of ends) {
      tail.add("stdout", all.subarray(start, end));
      start = end;
    }
    deepEqual(tail.lines(), text.split("\n"));
  }));
});

Deno.test("OutputTail stays small when there are no line ends", () => {
  const tail = new OutputTail();
  for (let i = 0; i < 100; i++) tail.add("stdout", new Uint8Array(100_000).fill(0x78));
  ok(tail.lines().join("").length <= 1000);
});
