import { deepEqual, equal } from "node:assert/strict";
import { inflateRawSync } from "node:zlib";
import { deflateBlock, GZIP_FORMAT, ZSTD_FORMAT, zstdFrame } from "../../../src/layer/compress_blocks.ts";
import { piped, sampleBytes } from "../../support/byte_streams.ts";
import { concat } from "../../support/tar_members.ts";

Deno.test("deflateBlock gives blocks that inflate when joined", () => {
  const [a, b] = [sampleBytes(1 << 20), sampleBytes(1000)];
  for (const level of [1, 2, 6, 9]) {
    const joined = concat([deflateBlock(a, level, false), deflateBlock(b, level, true)]);
    deepEqual(new Uint8Array(inflateRawSync(joined)), concat([a, b]));
  }
});

Deno.test("deflateBlock ends with an empty stored block unless it is the last", () => {
  deepEqual(new Uint8Array(deflateBlock(sampleBytes(100), 2, false).slice(-4)), Uint8Array.of(0, 0, 0xff, 0xff));
  deepEqual(new Uint8Array(deflateBlock(new Uint8Array(), 2, true)), Uint8Array.of(3, 0));
});

Deno.test("GZIP_FORMAT has a head without time and name, and a tail of sum and size", () => {
  deepEqual(GZIP_FORMAT.head, Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff));
  const tail = GZIP_FORMAT.tail();
  tail.update(new TextEncoder().encode("1234"));
  tail.update(new TextEncoder().encode("56789"));
  deepEqual(tail.bytes(), Uint8Array.of(0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0));
});

Deno.test("zstdFrame gives frames that the zstd program reads when joined", async () => {
  deepEqual([ZSTD_FORMAT.encode, ZSTD_FORMAT.head.length], [zstdFrame, 0]);
  const [a, b] = [sampleBytes(100_000), sampleBytes(7)];
  deepEqual(await piped("zstd", ["-dc"], concat([await zstdFrame(a, 3), await zstdFrame(b, 3)])), concat([a, b]));
  equal((await zstdFrame(a, 19)).length < (await zstdFrame(a, 1)).length, true);
});
