/** The block formats that layers are written in. Blocks know nothing of each other, so any thread may encode any of them. */
import { constants, crc32, deflateRawSync } from "node:zlib";
import * as zlib from "node:zlib";
import type { BlockFormat } from "./block_stream.ts";
import { wasmZstdFrame } from "./zstd_wasm_compress.ts";

const GZIP_BLOCK_BYTES = 1 << 20;
const ZSTD_FRAME_BYTES = 4 << 20;
/** Deflate, no name, no time, operating system unknown: nothing in it that a second build would not repeat. */
const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** One gzip member (RFC 1952) of deflate blocks that end at byte limits. Costs 0.2 % against one run over all. */
export const GZIP_FORMAT: BlockFormat = {
  blockBytes: GZIP_BLOCK_BYTES,
  encode: deflateBlock,
  head: GZIP_HEAD,
  tail: gzipTail,
};

/** Raw deflate (RFC 1951) of `bytes`. Unless `isLast`, it ends with an empty stored block, so that another may follow. */
export function deflateBlock(bytes: Uint8Array, level: number, isLast: boolean): Uint8Array {
  return deflateRawSync(bytes, {
    level,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    chunkSize: Math.max(1 << 16, bytes.length),
  });
}

/** zstd frames (RFC 8878), each complete. */
export const ZSTD_FORMAT: BlockFormat = {
  blockBytes: ZSTD_FRAME_BYTES,
  encode: zstdFrame,
  head: new Uint8Array(),
  tail: noTail,
};

/** One zstd frame of `bytes`: by the runtime, or in WebAssembly where that has no zstd (before Deno 2.9). */
export function zstdFrame(bytes: Uint8Array, level: number): Uint8Array | Promise<Uint8Array> {
  if (!("zstdCompressSync" in zlib)) return wasmZstdFrame(bytes, level);
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants;
  return zlib.zstdCompressSync(bytes, { params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 } });
}

function gzipTail(): ReturnType<BlockFormat["tail"]> {
  let sum = 0;
  let sizeBytes = 0;
  return {
    update(bytes): void {
      sum = crc32(bytes, sum);
      sizeBytes += bytes.length;
    },
    bytes(): Uint8Array {
      const tail = new DataView(new ArrayBuffer(8));
      tail.setUint32(0, sum, true);
      tail.setUint32(4, sizeBytes % 2 ** 32, true);
      return new Uint8Array(tail.buffer);
    },
  };
}

function noTail(): ReturnType<BlockFormat["tail"]> {
  return { update(): void {}, bytes: () => new Uint8Array() };
}
