import { equal } from "node:assert/strict";
import fc from "fast-check";
import { readNumber, writeOctal } from "../../../src/tar/number_field.ts";

const cases: readonly (readonly [name: string, bytes: readonly number[], value: number])[] = [
  ["octal with a NUL", text("0000644\0"), 0o644],
  ["octal with spaces around", text("   644 \0"), 0o644],
  ["octal without a terminator", text("77777777"), 0o77777777],
  ["an empty field", text("\0\0\0\0\0\0\0\0"), 0],
  ["spaces only", text("        "), 0],
  ["garbage behind the terminator", text("644\0zzzz"), 0o644],
  ["a digit that is not octal", text("0000648\0"), NaN],
  ["a minus", text("-000644\0"), NaN],
  ["base-256", [0x80, 0, 0, 0, 0, 0x01, 0x00, 0x00], 65536],
  ["base-256 of the largest safe integer", [0x80, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Number.MAX_SAFE_INTEGER],
  ["base-256 beyond it", [0x80, 0x20, 0, 0, 0, 0, 0, 0], NaN],
  ["base-256 of -1", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1],
  ["base-256 of -256", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], -256],
];

for (const [name, bytes, value] of cases) {
  Deno.test(`readNumber reads ${value} when the field is ${name}`, () => {
    equal(readNumber(Uint8Array.from([1, ...bytes, 2]), 1, bytes.length), value);
  });
}

Deno.test("readNumber reads what writeOctal wrote", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0o77777777777 }), (value) => {
    const field = new Uint8Array(12).fill(0xee);
    writeOctal(field, 0, 12, value);
    equal(readNumber(field, 0, 12), value);
    equal(field[11], 0);
  }));
});

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}
