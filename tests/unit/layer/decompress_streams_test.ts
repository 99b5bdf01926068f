import { deepEqual, rejects } from "node:assert/strict";
import { createGunzip, gzipSync } from "node:zlib";
import { FormatError } from "../../../src/errors.ts";
import { bunzip2, throughNode, unxz, unzstd } from "../../../src/layer/decompress_streams.ts";
import { failingStream, piped, sampleBytes, streamOf } from "../../support/byte_streams.ts";
import { concat, readAll } from "../../support/tar_members.ts";

const gunzip = (stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
  throughNode(stream, () => createGunzip({ chunkSize: 4096 }), "gzip");
const sample = sampleBytes(700_000);

const kinds = [["gzip", gunzip], ["zstd", unzstd], ["bzip2", bunzip2], ["xz", unxz]] as const;
for (const [kind, open] of kinds) {
  Deno.test(`decompressing ${kind} gives the bytes when they come in any pieces and two members`, async () => {
    const one = await piped(kind, ["-c"], sample);
    for (const piece of [1021, 65536, 1 << 24]) deepEqual(await readAll(open(streamOf(one, piece))), sample);
    const small = sample.subarray(0, 5000);
    const two = concat([await piped(kind, ["-c"], small), await piped(kind, ["-c"], small)]);
    deepEqual(await readAll(open(streamOf(two, 700))), concat([small, small]));
  });

  Deno.test(`decompressing ${kind} fails with FormatError when the data is cut off or broken`, async () => {
    const whole = await piped(kind, ["-c"], sample);
    await rejects(readAll(open(streamOf(whole.subarray(0, whole.length >> 1)))), FormatError);
    await rejects(readAll(open(streamOf(concat([whole.subarray(0, 12), sample.subarray(0, 9000)])))), FormatError);
  });

  Deno.test(`decompressing ${kind} passes the source's failure through`, async () => {
    const whole = await piped(kind, ["-c"], sample);
    const failure = new TypeError("connection lost");
    await rejects(readAll(open(failingStream(whole.subarray(0, 5000), failure))), failure);
    await rejects(readAll(open(failingStream(new Uint8Array(), failure))), failure);
  });

  Deno.test(`decompressing ${kind} cancels the source when it is cancelled`, async () => {
    const whole = await piped(kind, ["-c"], sample);
    let reason: unknown;
    const source = streamOf(whole, 2000).getReader();
    const watched = new ReadableStream<Uint8Array>({
      async pull(controller): Promise<void> {
        const { done, value } = await source.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(given): void {
        reason = given;
      },
    }, { highWaterMark: 0 });
    const reader = open(watched).getReader();
    if (kind !== "bzip2") await reader.read();
    await reader.cancel("enough");
    deepEqual(reason, "enough");
  });
}

Deno.test("decompressing gzip reads its source to the end when rubbish follows", async () => {
  let isRead = false;
  const parts = [gzipSync(sample), new Uint8Array(100_000), new Uint8Array(5)];
  const source = new ReadableStream<Uint8Array>({
    pull(controller): void {
      const part = parts.shift();
      if (part !== undefined) return controller.enqueue(new Uint8Array(part));
      isRead = true;
      controller.close();
    },
  }, { highWaterMark: 0 });
  deepEqual(await readAll(gunzip(source)), sample);
  deepEqual(isRead, true);
});
