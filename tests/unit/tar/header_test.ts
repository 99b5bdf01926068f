import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";
import { encodeHeader, type TarHeader } from "../../../src/tar/header.ts";
import { arbitraryHeader, tarHeader } from "../../support/tar_headers.ts";
import { concat, readMembers } from "../../support/tar_members.ts";

Deno.test("encodeHeader writes what the parser reads when headers are any", () => {
  fc.assert(
    fc.property(arbitraryHeader(2000), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (header, cuts) => {
      const body = new Uint8Array(Math.ceil(header.size / 512) * 512);
      deepEqual(readMembers(concat([encodeHeader(header), body]), cuts).map((member) => member.header), [header]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("encodeHeader writes one block when ustar holds everything", () => {
  const long = `${"d".repeat(150)}/${"f".repeat(100)}`;
  for (const path of ["a", "a/".repeat(50).slice(0, 99), long]) {
    equal(encodeHeader(tarHeader(path, { mtimeNs: 1_700_000_000_000_000_000n, uid: 2097151 })).length, 512, path);
  }
});

const needsPax: readonly (readonly [name: string, header: TarHeader])[] = [
  ["the path is long", tarHeader("f".repeat(101))],
  ["the path is not ASCII", tarHeader("é")],
  ["the path is not UTF-8", { ...tarHeader("x"), path: rawPathFromBytes(Uint8Array.from([0xff, 0xfe])) }],
  ["the link target is long", tarHeader("l", { type: "symlink", linkPath: rawPath("t".repeat(101)) })],
  ["the mtime has nanoseconds", tarHeader("f", { mtimeNs: 1n })],
  ["the mtime is negative", tarHeader("f", { mtimeNs: -1_000_000_000n })],
  ["the mtime is huge", tarHeader("f", { mtimeNs: 0o100000000000n * 1_000_000_000n })],
  ["the uid is large", tarHeader("f", { uid: 2097152 })],
  ["the gid is large", tarHeader("f", { gid: 4294967294 })],
  ["there is an xattr", tarHeader("f", { xattrs: new Map([["security.capability", Uint8Array.of(0, 0xff, 0x0a)]]) })],
];
for (const [name, header] of needsPax) {
  Deno.test(`encodeHeader puts a PAX header first when ${name}`, () => {
    const bytes = encodeHeader(header);
    equal(bytes.length, 3 * 512);
    equal(String.fromCharCode(bytes[156] ?? 0), "x");
    deepEqual(readMembers(bytes)[0]?.header, header);
  });
}

Deno.test("encodeHeader keeps a size of 8 GiB and more in a PAX record", () => {
  for (const size of [8 * 2 ** 30, Number.MAX_SAFE_INTEGER]) {
    const sizes: number[] = [];
    const bytes = encodeHeader(tarHeader("f", { size }));
    throws(() => readMembers(bytes, [512], undefined, (header) => sizes.push(header.size)), /truncated/);
    deepEqual(sizes, [size]);
  }
  equal(encodeHeader(tarHeader("f", { size: 8 * 2 ** 30 - 1 })).length, 512);
});

Deno.test("encodeHeader gives equal bytes when xattrs come in another order", () => {
  const [a, b] = [["user.a", Uint8Array.of(1)], ["user.b", Uint8Array.of(2)]] as const;
  deepEqual(
    encodeHeader(tarHeader("f", { xattrs: new Map([a, b]) })),
    encodeHeader(tarHeader("f", { xattrs: new Map([b, a]) })),
  );
});

const invalid: readonly (readonly [name: string, header: TarHeader])[] = [
  ["the name is empty", tarHeader("")],
  ["the name has a NUL", tarHeader("a\0b")],
  ["a file's name ends with a slash", tarHeader("a/")],
  ["a symlink has no target", tarHeader("l", { type: "symlink" })],
  ["a directory has a size", tarHeader("d", { type: "directory", size: 1 })],
  ["the size is negative", tarHeader("f", { size: -1 })],
  ["the uid is a fraction", tarHeader("f", { uid: 0.5 })],
  ["the device number is too large", tarHeader("c", { type: "char", devMinor: 2097152 })],
  ["an xattr has no name", tarHeader("f", { xattrs: new Map([["", Uint8Array.of(1)]]) })],
];
for (const [name, header] of invalid) {
  Deno.test(`encodeHeader fails when ${name}`, () => {
    throws(() => encodeHeader(header), FormatError);
  });
}
