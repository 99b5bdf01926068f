import { deepEqual, equal, rejects } from "node:assert/strict";
import { fileStream } from "../../../src/blob/file_stream.ts";
import { sampleBytes } from "../../support/byte_streams.ts";
import { readAll } from "../../support/tar_members.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("fileStream gives the bytes of a file in few pieces and closes it", async () => {
  await using temp = await makeTempDir();
  for (const size of [0, 1, 1 << 20, 3_000_000]) {
    await Deno.writeFile(`${temp.path}/f`, sampleBytes(size));
    deepEqual(await readAll(fileStream(await Deno.open(`${temp.path}/f`))), sampleBytes(size));
    const pieces = await Array.fromAsync(fileStream(await Deno.open(`${temp.path}/f`)));
    equal(pieces.length, Math.ceil(size / (1 << 20)));
  }
});

Deno.test("fileStream closes the file when it is cancelled or cannot be read", async () => {
  await using temp = await makeTempDir();
  await Deno.writeFile(`${temp.path}/f`, sampleBytes(5_000_000));
  const stream = fileStream(await Deno.open(`${temp.path}/f`));
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  await rejects(readAll(fileStream(await Deno.open(temp.path))));
});
