/** A source whose blobs are fetched once into a store of our own and read from there, however often they are opened. */
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { BlobSource, BlobStore } from "./blob_store.ts";

/** Opens blobs of `origin` through `store`. Concurrent opens of one blob share its fetch; a failed fetch is forgotten. */
export class CachingSource implements BlobSource {
  readonly #origin: BlobSource;
  readonly #store: BlobStore;
  readonly #fetches = new Map<Digest, Promise<void>>();

  constructor(origin: BlobSource, store: BlobStore) {
    this.#origin = origin;
    this.#store = store;
  }

  /** Makes sure that the blob is in the store. */
  fetch(descriptor: Descriptor, signal?: AbortSignal): Promise<void> {
    const running = this.#fetches.get(descriptor.digest);
    if (running !== undefined) return running;
    const fetched = this.#fetch(descriptor, signal);
    this.#fetches.set(descriptor.digest, fetched);
    fetched.catch(() => this.#fetches.delete(descriptor.digest));
    return fetched;
  }

  async open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    await this.fetch(descriptor, signal);
    return await this.#store.open(descriptor, signal);
  }

  async #fetch(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<void> {
    if (!await this.#store.has(descriptor, signal)) await this.#store.put(descriptor, this.#origin, signal);
  }
}
