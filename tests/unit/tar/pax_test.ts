import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import {
  encodePaxRecords,
  formatPaxTime,
  latin1Bytes,
  latin1Text,
  parsePaxRecords,
  parsePaxTime,
  type PaxRecord,
  xattrKeyword,
  xattrName,
} from "../../../src/tar/pax.ts";

const keyword = fc.stringMatching(/^[a-zA-Z.]{1,12}$/);

Deno.test("parsePaxRecords reads what encodePaxRecords wrote when values are any bytes", () => {
  const record = fc.tuple(keyword, fc.uint8Array({ maxLength: 1200 }));
  fc.assert(fc.property(fc.uniqueArray(record, { selector: ([key]) => key }), (records) => {
    const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
    const parsed = parsePaxRecords(encodePaxRecords(records)).map(([key, value]): PaxRecord => [key, value.slice()]);
    deepEqual(parsed, sorted);
  }));
});

Deno.test("encodePaxRecords counts its own digits when the length grows by a digit", () => {
  for (const size of [1, 4, 5, 6, 90, 91, 92, 93, 985, 986, 987, 988, 989, 990, 991]) {
    const bytes = encodePaxRecords([["k", new Uint8Array(size).fill(0x61)]]);
    equal(Number.parseInt(latin1Text(bytes, 0, 5)), bytes.length, `value of ${size} bytes`);
  }
});

const broken: readonly (readonly [name: string, text: string])[] = [
  ["no length", " path=a\n"],
  ["a length that is no number", "x path=a\n"],
  ["a length beyond the end", "90 path=a\n"],
  ["a length that is too short", "2 path=a\n"],
  ["a length of zero", "0 path=a\n"],
  ["no equals sign", "8 patha\n"],
  ["an empty keyword", "5 =a\n\n"],
  ["no newline at its end", "9 path=ab"],
  ["an endless length", "00000000000000000009 path=a\n"],
];
for (const [name, text] of broken) {
  Deno.test(`parsePaxRecords fails when a record has ${name}`, () => {
    throws(() => parsePaxRecords(latin1Bytes(text)), FormatError);
  });
}

Deno.test("parsePaxTime reads what formatPaxTime wrote", () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }), (time) => {
    equal(parsePaxTime(formatPaxTime(time)), time);
  }));
});

Deno.test("formatPaxTime writes no trailing zeros", () => {
  equal(formatPaxTime(1_500_000_000n), "1.5");
  equal(formatPaxTime(-1_500_000_000n), "-1.5");
  equal(formatPaxTime(-1n), "-0.000000001");
  equal(formatPaxTime(2_000_000_000n), "2");
});

Deno.test("parsePaxTime gives undefined when the text is no time", () => {
  for (const text of ["", "-", ".5", "1e9", "0x1", "1.5.", " 1", "1".repeat(20)]) equal(parsePaxTime(text), undefined);
  equal(parsePaxTime("1.1234567899"), 1_123_456_789n);
});

Deno.test("xattrName reads what xattrKeyword wrote when the name has '=' or '%'", () => {
  for (const name of ["user.a", "user.a=b", "user.100%", "user.%3D", "user.%25", "security.capability"]) {
    equal(xattrName(xattrKeyword(name)), name);
    equal(xattrKeyword(name).includes("="), false);
  }
  equal(xattrName("path"), undefined);
  equal(xattrName("SCHILY.xattr."), undefined);
});

Deno.test("latin1Text and latin1Bytes are inverse when the text is long", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i % 256);
  deepEqual(latin1Bytes(latin1Text(bytes, 0, bytes.length)), bytes);
});
