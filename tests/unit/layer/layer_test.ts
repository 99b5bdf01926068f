import { deepEqual, equal, rejects } from "node:assert/strict";
import { UnsupportedError } from "../../../src/errors.ts";
import { openUncompressed } from "../../../src/layer/layer.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { memoryLayer } from "../../support/memory_image.ts";
import { readAll, readMembers } from "../../support/tar_members.ts";

for (const compression of ["gzip", "none"] as const) {
  Deno.test(`openUncompressed gives the tar when the layer is ${compression}`, async () => {
    const layer = await memoryLayer("dir/file", "hello", compression);
    const tar = await readAll(await openUncompressed(layer));
    equal(sha256(tar), String(layer.diffId));
    deepEqual(readMembers(tar).map(({ header }) => header.path), ["dir/file"]);
  });
}

Deno.test("openUncompressed passes the signal to the source, and can be called again", async () => {
  const layer = await memoryLayer("f", "x");
  const { signal } = new AbortController();
  const seen: (AbortSignal | undefined)[] = [];
  const source = {
    open(descriptor: typeof layer.descriptor, given?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      seen.push(given);
      return layer.source.open(descriptor, given);
    },
  };
  for (let i = 0; i < 2; i++) await readAll(await openUncompressed({ ...layer, source }, signal));
  deepEqual(seen, [signal, signal]);
});

Deno.test("openUncompressed fails with UnsupportedError when the media type is no layer's", async () => {
  const layer = await memoryLayer("f", "x");
  const encrypted = { ...layer.descriptor, mediaType: `${layer.descriptor.mediaType}+encrypted` };
  await rejects(openUncompressed({ ...layer, descriptor: encrypted }), UnsupportedError);
});
