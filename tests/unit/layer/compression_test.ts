import { deepEqual, equal, rejects } from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import {
  compressStream,
  decompressAny,
  decompressStream,
  DEFAULT_LEVELS,
  detectCompression,
  MAGIC_BYTES,
} from "../../../src/layer/compression.ts";
import { piped, sampleBytes, streamOf } from "../../support/byte_streams.ts";
import { readAll } from "../../support/tar_members.ts";

const sample = sampleBytes((5 << 20) + 123);

Deno.test("detectCompression knows what the programs write", async () => {
  for (const kind of ["gzip", "zstd", "bzip2", "xz"] as const) {
    const bytes = await piped(kind, ["-c"], sample.subarray(0, 100));
    equal(detectCompression(bytes.subarray(0, MAGIC_BYTES)), kind);
    equal(detectCompression(bytes.subarray(0, 1)), "none");
  }
  equal(detectCompression(new Uint8Array()), "none");
});

Deno.test("compressStream gzip writes what gzip reads, the same bytes for any pieces", async () => {
  const one = await readAll(streamOf(sample).pipeThrough(compressStream("gzip")));
  const other = await readAll(streamOf(sample, 99_991).pipeThrough(compressStream("gzip", DEFAULT_LEVELS.gzip)));
  deepEqual(one, other);
  deepEqual(await piped("gzip", ["-dc"], one), sample);
  const best = await readAll(streamOf(sample).pipeThrough(compressStream("gzip", 9)));
  equal(best.length < one.length, true);
});

Deno.test("compressStream zstd writes what zstd reads, the same bytes for any pieces", async () => {
  const one = await readAll(streamOf(sample).pipeThrough(compressStream("zstd")));
  deepEqual(await readAll(streamOf(sample, 77_777).pipeThrough(compressStream("zstd"))), one);
  deepEqual(await piped("zstd", ["-dc"], one), sample);
});

Deno.test("decompressStream reads what compressStream wrote", async () => {
  for (const kind of ["gzip", "zstd", "none"] as const) {
    for (const bytes of [sample, new Uint8Array(), sample.subarray(0, 1 << 20)]) {
      const compressed = streamOf(bytes).pipeThrough(compressStream(kind));
      deepEqual(await readAll(decompressStream(compressed, kind)), bytes, kind);
    }
  }
});

Deno.test("decompressAny tells the kind by itself", async () => {
  for (const kind of ["gzip", "zstd", "bzip2", "xz"] as const) {
    const bytes = await piped(kind, ["-c"], sample.subarray(0, 20_000));
    deepEqual(await readAll(await decompressAny(streamOf(bytes, 1))), sample.subarray(0, 20_000), kind);
  }
  for (const size of [0, 1, 5, 6, 7, 1000]) {
    deepEqual(await readAll(await decompressAny(streamOf(sample.subarray(0, size), 2))), sample.subarray(0, size));
  }
});

Deno.test("decompressStream fails when more comes out than allowed", async () => {
  const bomb = await piped("gzip", ["-c"], new Uint8Array(1 << 22));
  await rejects(readAll(decompressStream(streamOf(bomb), "gzip", { maxBytes: (1 << 22) - 1 })), FormatError);
  equal((await readAll(decompressStream(streamOf(bomb), "gzip", { maxBytes: 1 << 22 }))).length, 1 << 22);
});
