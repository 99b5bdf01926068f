import { deepEqual, equal, throws } from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { encodeHeader } from "../../../src/tar/header.ts";
import {
  cutAtNul,
  isChecksumRight,
  isZeroBlock,
  readMember,
  storedSize,
  typeFlag,
} from "../../../src/tar/parse_header.ts";
import { latin1Bytes } from "../../../src/tar/pax.ts";
import { tarHeader } from "../../support/tar_headers.ts";

Deno.test("isZeroBlock tells zeros from anything else", () => {
  const block = new Uint8Array(520);
  block[519] = 1;
  equal(isZeroBlock(block, 0), true);
  equal(isZeroBlock(block, 8), false);
});

Deno.test("isChecksumRight accepts unsigned and signed sums, and no other", () => {
  const block = encodeHeader(tarHeader("name"));
  equal(isChecksumRight(block, 0), true);
  block[400] = 0xff;
  equal(isChecksumRight(block, 0), false);
  let signed = 8 * 0x20;
  block.forEach((byte, i) => signed += i >= 148 && i < 156 ? 0 : byte > 127 ? byte - 256 : byte);
  block.set(latin1Bytes(`${signed.toString(8).padStart(6, "0")}\0 `), 148);
  equal(isChecksumRight(block, 0), true);
});

Deno.test("readMember joins prefix and name only when the block is ustar", () => {
  const block = encodeHeader(tarHeader("name"));
  block.set(latin1Bytes("prefix"), 345);
  equal(readMember(block, 0, undefined).header.path, "prefix/name");
  block.set(latin1Bytes("tar\0"), 508);
  block.set(latin1Bytes("x".repeat(155)), 345);
  equal(readMember(block, 0, undefined).header.path, `${"x".repeat(131)}/name`);
  block.set(latin1Bytes("ustar  \0"), 257);
  equal(readMember(block, 0, undefined).header.path, "name");
  block.set(new Uint8Array(8), 257);
  equal(readMember(block, 0, undefined).header.path, "name");
});

Deno.test("readMember prefers PAX records to GNU names, and those to the block", () => {
  const block = encodeHeader(tarHeader("block", { type: "symlink", linkPath: rawPath("to-block") }));
  const gnu = { longPath: rawPath("gnu"), longLink: rawPath("to-gnu") };
  const { header } = readMember(block, 0, gnu);
  deepEqual([header.path, header.linkPath], ["gnu", "to-gnu"]);
  const records = [["path", latin1Bytes("pax")], ["linkpath", latin1Bytes("")]] as const;
  const both = readMember(block, 0, { ...gnu, records }).header;
  deepEqual([both.path, both.linkPath], ["pax", "to-gnu"]);
});

Deno.test("readMember lets the last record win, and an empty one mean the block's value", () => {
  const block = encodeHeader(tarHeader("block", { uid: 7 }));
  const records = [
    ["path", latin1Bytes("first")],
    ["path", latin1Bytes("second\0cut")],
    ["uid", latin1Bytes("9")],
    ["uid", latin1Bytes("")],
    ["hdrcharset", latin1Bytes("BINARY")],
    ["VENDOR.unknown", latin1Bytes("x")],
  ] as const;
  const { header } = readMember(block, 0, { records });
  deepEqual([header.path, header.uid], ["second", 7]);
});

Deno.test("readMember takes a file for a directory when its name ends with a slash", () => {
  const block = encodeHeader(tarHeader("d", { type: "directory" }));
  for (const flag of ["0", "\0", "7", "5"]) {
    block[156] = flag.charCodeAt(0);
    const { header, storedBytes } = readMember(block, 0, undefined);
    deepEqual([header.type, header.path, storedBytes], ["directory", "d", 0]);
  }
});

Deno.test("readMember reads no size for anything but a file", () => {
  const block = encodeHeader(tarHeader("f", { size: 1000 }));
  for (const flag of ["5", "6", "3"]) {
    block[156] = flag.charCodeAt(0);
    equal(typeFlag(block, 0), flag);
    const { header, storedBytes } = readMember(block, 0, undefined);
    deepEqual([header.size, storedBytes], [0, 0]);
  }
  equal(storedSize(block, 0), 1000);
});

const faults: readonly (readonly [name: string, at: number, text: string, expected: RegExp])[] = [
  ["the type is unknown", 156, "V", /type flag "V" is not supported/],
  ["the size is negative", 124, "\xff".repeat(12), /size is negative/],
  ["the mode is no octal number", 100, "0000899\0", /mode is malformed/],
  ["the uid is beyond 32 bits", 108, "\x80\0\0\x01\0\0\0\0", /uid or gid is too large/],
  ["the mtime is malformed", 136, "yesterday\0\0\0", /mtime is malformed/],
  ["the name is empty", 0, "\0", /no name/],
  ["a link has no target", 156, "2", /link target is empty/],
];
for (const [name, at, text, expected] of faults) {
  Deno.test(`readMember fails when ${name}`, () => {
    const block = encodeHeader(tarHeader("f"));
    block.set(latin1Bytes(text), at);
    throws(
      () => readMember(block, 0, undefined),
      (error: unknown) => error instanceof FormatError && expected.test(error.message),
    );
  });
}

Deno.test("readMember fails when a PAX record is no number", () => {
  for (
    const [keyword, value] of [["size", "-1"], ["uid", "1.5"], ["gid", "x"], ["mtime", "now"], [
      "size",
      "9".repeat(17),
    ]] as const
  ) {
    const records = [[keyword, latin1Bytes(value)]] as const;
    throws(() => readMember(encodeHeader(tarHeader("f")), 0, { records }), FormatError, keyword);
  }
});

Deno.test("cutAtNul cuts at the first NUL", () => {
  deepEqual(["a", "a\0b\0", "\0"].map(cutAtNul), ["a", "a", ""]);
});
