import { deepEqual, equal, rejects } from "node:assert/strict";
import type { BlobSource, BlobStore } from "../../../src/blob/blob_store.ts";
import { CachingSource } from "../../../src/blob/caching_source.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { type Digest, sha256 } from "../../../src/oci/digest.ts";

const BYTES = new TextEncoder().encode("layer");
const DESCRIPTOR: Descriptor = { mediaType: "x", digest: sha256(BYTES), size: BYTES.length };

class CountingOrigin implements BlobSource {
  opens = 0;
  failures = 0;

  open(): Promise<ReadableStream<Uint8Array>> {
    this.opens++;
    if (this.failures-- > 0) return Promise.reject(new Error("down"));
    return Promise.resolve(ReadableStream.from([BYTES]));
  }
}

class MemoryStore implements BlobStore {
  readonly #blobs = new Map<Digest, Uint8Array>();

  has(descriptor: Descriptor): Promise<boolean> {
    return Promise.resolve(this.#blobs.has(descriptor.digest));
  }

  async put(descriptor: Descriptor, source: BlobSource): Promise<void> {
    const bytes = await new Response(await source.open(descriptor) as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
    this.#blobs.set(descriptor.digest, bytes);
  }

  open(descriptor: Descriptor): Promise<ReadableStream<Uint8Array>> {
    return Promise.resolve(ReadableStream.from([this.#blobs.get(descriptor.digest) ?? new Uint8Array()]));
  }
}

async function read(source: BlobSource): Promise<Uint8Array> {
  const stream = await source.open(DESCRIPTOR) as ReadableStream<Uint8Array<ArrayBuffer>>;
  return await new Response(stream).bytes();
}

Deno.test("CachingSource fetches a blob once when it is opened often and at the same time", async () => {
  const origin = new CountingOrigin();
  const source = new CachingSource(origin, new MemoryStore());
  deepEqual(await Promise.all([read(source), read(source)]), [BYTES, BYTES]);
  deepEqual(await read(source), BYTES);
  equal(origin.opens, 1);
});

Deno.test("CachingSource fetches again when the first fetch failed", async () => {
  const origin = new CountingOrigin();
  origin.failures = 1;
  const source = new CachingSource(origin, new MemoryStore());
  await rejects(read(source), /down/);
  deepEqual(await read(source), BYTES);
});
