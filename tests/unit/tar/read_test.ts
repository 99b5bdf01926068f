import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { encodeHeader } from "../../../src/tar/header.ts";
import { encodePaxRecords, latin1Bytes } from "../../../src/tar/pax.ts";
import { readTar, TarParser, type TarVisitor } from "../../../src/tar/read.ts";
import { TAR_END, tarPadding, writeTar } from "../../../src/tar/write.ts";
import { arbitraryHeader, tarHeader } from "../../support/tar_headers.ts";
import { concat, readAll, type ReadMember, readMembers } from "../../support/tar_members.ts";

const IGNORE: TarVisitor = { entry(): void {}, body(): void {}, end(): void {} };
const cuts = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 });
const members = fc.array(arbitraryHeader(3000), { maxLength: 5 });

Deno.test("TarParser gives the same members when the bytes come in any pieces", async () => {
  await fc.assert(fc.asyncProperty(members, cuts, async (headers, pieces) => {
    const expected = headers.map((header, i): ReadMember => ({
      header,
      body: new Uint8Array(header.size).fill(i + 1),
    }));
    const archive = await readAll(writeTar(expected.map(({ header, body }) => ({ header, body: [body] }))));
    deepEqual(readMembers(archive, pieces), expected);
  }));
});

Deno.test("TarParser fails with FormatError alone when bytes are random or altered", async () => {
  const headers = fc.sample(arbitraryHeader(600), { numRuns: 12, seed: 7 });
  const archive = await readAll(writeTar(headers.map((header) => ({ header, body: [new Uint8Array(header.size)] }))));
  const edit = fc.tuple(fc.nat(archive.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), fc.nat(archive.length), (edits, length) => {
      const altered = archive.slice(0, length);
      for (const [at, byte] of edits) if (at < length) altered[at] = byte;
      for (let at = 0; at + 512 <= length; at += 512) repairChecksum(altered, at);
      onlyFormatErrors(altered);
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), onlyFormatErrors));
});

function onlyFormatErrors(archive: Uint8Array): void {
  try {
    const parser = new TarParser({ ...IGNORE, hole(): void {} });
    parser.push(archive);
    parser.finish();
  } catch (error: unknown) {
    if (!(error instanceof FormatError)) throw error;
  }
}

Deno.test("TarParser ignores global headers, and what stands behind the end mark", () => {
  const global = block("pax_global_header", "g", 20);
  const archive = concat([
    global,
    padded("20 comment=0123456\n"),
    encodeHeader(tarHeader("f")),
    TAR_END,
    latin1Bytes("rubbish"),
  ]);
  deepEqual(readMembers(archive).map(({ header }) => header.path), ["f"]);
});

Deno.test("TarParser reads an archive that lacks its end mark or its last padding", () => {
  const archive = concat([encodeHeader(tarHeader("f", { size: 3 })), latin1Bytes("abc")]);
  deepEqual(readMembers(archive)[0]?.body, latin1Bytes("abc"));
  deepEqual(readMembers(new Uint8Array()), []);
  deepEqual(readMembers(new Uint8Array(512)), []);
});

Deno.test("TarParser reads GNU long names and links", () => {
  const [name, link] = ["n".repeat(700), "l".repeat(300)];
  const archive = concat([
    block("././@LongLink", "L", 701),
    padded(`${name}\0`),
    block("././@LongLink", "K", 301),
    padded(`${link}\0`),
    encodeHeader(tarHeader("short", { type: "hardlink", linkPath: rawPath("short") })),
    encodeHeader(tarHeader("next")),
  ]);
  deepEqual(readMembers(archive, [100]).map(({ header }) => [header.path, header.linkPath]), [[name, link], [
    "next",
    "",
  ]]);
});

const broken: readonly (readonly [name: string, archive: Uint8Array, expected: RegExp])[] = [
  ["it is no tar", new Uint8Array(1024).fill(0x61), /^Cannot read tar at offset 0: this is not a tar archive$/],
  ["it is shorter than a block", latin1Bytes("hello"), /truncated/],
  ["it ends in a header", encodeHeader(tarHeader("f")).subarray(0, 300), /truncated/],
  [
    "it ends in a body",
    concat([encodeHeader(tarHeader("a")), encodeHeader(tarHeader("dir/b", { size: 9 })), latin1Bytes("123")]),
    /^Cannot read tar entry "dir\/b" at offset 512: the archive is truncated$/,
  ],
  ["it ends behind an extended header", encodeHeader(tarHeader("é")).subarray(0, 1024), /truncated/],
  [
    "its end mark stands behind an extended header",
    concat([encodeHeader(tarHeader("é")).subarray(0, 1024), TAR_END]),
    /no member/,
  ],
  [
    "a checksum is wrong",
    concat([encodeHeader(tarHeader("a")), encodeHeader(tarHeader("b")).fill(0x78, 0, 1)]),
    /^Cannot read tar at offset 512: the header's checksum is wrong$/,
  ],
  ["a lone block of zeros is inside", concat([new Uint8Array(512), encodeHeader(tarHeader("a"))]), /block of zeros/],
  [
    "the type is unknown",
    block("volume", "V", 0),
    /tar entry "volume" at offset 0: its type flag "V" is not supported/,
  ],
  ["a long name is too long", block("././@LongLink", "L", 2 ** 20), /larger than 1048576 bytes/],
  ["a PAX header is too long", block("x", "x", 2 ** 33 - 1), /larger than 1048576 bytes/],
  ["a PAX record is broken", concat([block("x", "x", 7), padded("9 path=")]), /record at byte 0 is malformed/],
];
for (const [name, archive, expected] of broken) {
  Deno.test(`TarParser fails when ${name}`, () => {
    throws(
      () => readMembers(archive),
      (error: unknown) => error instanceof FormatError && expected.test(error.message),
    );
  });
}

Deno.test("TarParser bounds extended headers together when there are many", () => {
  const one = concat([block("x", "x", 500), new Uint8Array(512)]);
  one.set(latin1Bytes(`500 comment=${"a".repeat(487)}\n`), 512);
  throws(() => readMembers(concat(Array.from({ length: 2000 }, () => one))), /larger than/);
});

Deno.test("TarParser fails when a sparse file would grow beyond its bound", () => {
  const records = encodePaxRecords([
    ["GNU.sparse.size", latin1Bytes("1001")],
    ["GNU.sparse.map", latin1Bytes("0,0")],
  ]);
  const archive = concat([block("x", "x", records.length), records, new Uint8Array(tarPadding(records.length))]);
  const whole = concat([archive, encodeHeader(tarHeader("f"))]);
  equal(readMembers(whole)[0]?.body.length, 1001);
  throws(() => readMembers(whole, [512], { maxSparseBytes: 1000 }), /sparse file of 1001 bytes/);
});

Deno.test("TarParser throws what the visitor throws", () => {
  const failure = new FormatError("the visitor's own");
  const parser = new TarParser({ ...IGNORE, entry: () => fail(failure) });
  throws(() => parser.push(encodeHeader(tarHeader("f"))), failure);
});

Deno.test("readTar cancels the stream when the visitor throws, and reads it to its end else", async () => {
  const archive = await readAll(writeTar([{ header: tarHeader("f") }]));
  const state = { isCancelled: false, pulls: 0 };
  const stream = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller): void {
        if (state.pulls++ < 5) controller.enqueue(state.pulls === 1 ? archive : new Uint8Array(7));
        else controller.close();
      },
      cancel: () => void (state.isCancelled = true),
    }, { highWaterMark: 0 });
  await readTar(stream(), IGNORE);
  deepEqual(state, { isCancelled: false, pulls: 6 });
  const failure = new FormatError("no");
  state.pulls = 0;
  await rejects(readTar(stream(), { ...IGNORE, end: () => fail(failure) }), failure);
  deepEqual(state, { isCancelled: true, pulls: 1 });
});

Deno.test("readTar throws the signal's reason when it is aborted while the stream is silent", async () => {
  const controller = new AbortController();
  const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const reading = readTar(silent, IGNORE, controller.signal);
  const reason = new FormatError("stopped");
  controller.abort(reason);
  await rejects(reading, reason);
});

function block(name: string, flag: string, size: number): Uint8Array {
  const bytes = encodeHeader(tarHeader(name, { size }));
  bytes[156] = flag.charCodeAt(0);
  repairChecksum(bytes, 0);
  return bytes;
}

function padded(text: string): Uint8Array {
  return concat([latin1Bytes(text), new Uint8Array(tarPadding(text.length))]);
}

function repairChecksum(bytes: Uint8Array, at: number): void {
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0 : bytes[at + i] ?? 0;
  if (sum > 8 * 0x20) bytes.set(latin1Bytes(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148);
}

function fail(error: FormatError): never {
  throw error;
}
