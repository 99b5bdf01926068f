import { deepEqual, equal } from "node:assert/strict";
import { decompressStream } from "../../../src/layer/compression.ts";
import { wasmZstdFrame } from "../../../src/layer/zstd_wasm_compress.ts";
import { piped, sampleBytes } from "../../support/byte_streams.ts";
import { concat } from "../../support/tar_members.ts";

Deno.test("wasmZstdFrame gives frames that the zstd program and our reader read when joined", async () => {
  const parts = [sampleBytes(300_000), new Uint8Array(), sampleBytes(7)];
  const frames = concat(await Promise.all(parts.map((part) => wasmZstdFrame(part, 3))));
  deepEqual(await piped("zstd", ["-dc"], frames), concat(parts));
  const read = await new Response(decompressStream(new Blob([frames.slice()]).stream(), "zstd")).arrayBuffer();
  deepEqual(new Uint8Array(read), concat(parts));
});

Deno.test("wasmZstdFrame takes the levels of zstd and gives the same bytes again", async () => {
  const bytes = sampleBytes(200_000);
  const sizes: number[] = [];
  for (const level of [1, 3, 19, 22]) sizes.push((await wasmZstdFrame(bytes, level)).length);
  deepEqual(sizes.toSorted((a, b) => b - a), sizes);
  deepEqual(await wasmZstdFrame(bytes, 3), await wasmZstdFrame(bytes, 3));
  equal((sizes[0] ?? 0) > (sizes[2] ?? 0), true);
});
