/** Telling archives from other files by content. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { UnsupportedError } from "../../../src/errors.ts";
import { decompressAny } from "../../../src/layer/compression.ts";
import { type Decompress, isArchive, openArchive } from "../../../src/rootfs/archive_probe.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { writeTar } from "../../../src/tar/write.ts";
import { tarHeader } from "../../support/tar_headers.ts";
import { concat, readAll, readMembers } from "../../support/tar_members.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const decompress: Decompress = async (stream) => await decompressAny(stream);
const signal = new AbortController().signal;

async function tarBytes(): Promise<Uint8Array> {
  const body = new TextEncoder().encode("hello");
  return await readAll(writeTar([{ header: tarHeader("a", { size: 5 }), body: [body] }]));
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return await readAll(new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream("gzip")));
}

async function probe(bytes: Uint8Array, using: Decompress = decompress): Promise<boolean> {
  await using temp = await makeTempDir();
  await Deno.writeFile(`${temp.path}/f`, bytes);
  return await isArchive(rawPath(`${temp.path}/f`), using, signal);
}

const text = new TextEncoder().encode("just some text\n".repeat(100));
const CASES: readonly (readonly [name: string, bytes: () => Promise<Uint8Array> | Uint8Array, isTar: boolean])[] = [
  ["a tar", tarBytes, true],
  ["a gzipped tar", async () => await gzip(await tarBytes()), true],
  ["an empty file", () => new Uint8Array(), false],
  ["a short file", () => text.subarray(0, 100), false],
  ["text", () => text, false],
  ["gzipped text", async () => await gzip(text), false],
  ["a gzip of nothing", async () => await gzip(new Uint8Array()), false],
  ["a broken gzip", () => concat([Uint8Array.of(0x1f, 0x8b), text]), false],
  ["a gzipped tar cut in its first header", async () => (await gzip(await tarBytes())).subarray(0, 30), false],
  ["a tar with a wrong checksum", async () => (await tarBytes()).map((byte, at) => at === 0 ? byte + 1 : byte), false],
  ["zeros, as an empty tar has", () => new Uint8Array(10240), false],
  ["something that begins as bzip2", () => new TextEncoder().encode("BZh is no archive"), false],
  ["something that begins as xz", () => concat([Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), text]), false],
  ["something that begins as zstd", () => concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), text]), false],
];

for (const [name, bytes, isTar] of CASES) {
  Deno.test(`isArchive is ${isTar} for ${name}`, async () => {
    equal(await probe(await bytes()), isTar);
  });
}

for (const program of ["gzip", "bzip2", "xz", "zstd"]) {
  Deno.test(`isArchive is true for a tar compressed by ${program}, and openArchive reads it`, async () => {
    await using temp = await makeTempDir();
    const path = `${temp.path}/f.bin`;
    await Deno.writeFile(`${temp.path}/f`, await tarBytes());
    const made = await new Deno.Command(program, { args: ["-c", `${temp.path}/f`] }).output().catch(() => undefined);
    if (made === undefined) return; // The machine lacks the program.
    await Deno.writeFile(path, made.stdout);
    equal(await isArchive(rawPath(path), decompress, signal), true);
    const members = readMembers(await readAll(await openArchive(rawPath(path), decompress)));
    deepEqual(members.map(({ header }) => header.path), ["a"]);
  });
}

Deno.test("isArchive passes on that a compression cannot be read here", async () => {
  const refuse: Decompress = () => Promise.reject(new UnsupportedError("Cannot read xz"));
  await rejects(probe(await gzip(await tarBytes()), refuse), UnsupportedError);
});

Deno.test("isArchive stops when the signal says so", async () => {
  await using temp = await makeTempDir();
  await Deno.writeFile(`${temp.path}/f`, await tarBytes());
  const stop = new TypeError("stop");
  await rejects(isArchive(rawPath(`${temp.path}/f`), decompress, AbortSignal.abort(stop)), stop);
});

Deno.test("isArchive does not ask to decompress what is not compressed", async () => {
  const refuse: Decompress = () => Promise.reject(new UnsupportedError("asked"));
  deepEqual([await probe(await tarBytes(), refuse), await probe(text, refuse)], [true, false]);
});
