/** One repository as it can be read: from its mirrors and from itself, whichever has what is asked for. */
import type { StoredManifest } from "../blob/blob_store.ts";
import { errorText } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { RegistryClient } from "./client.ts";
import type { ImageSource } from "./resolve_image.ts";

/** What reading takes of the world. */
export interface MirrorServices {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Asks the clients in their order; the one that gave the last manifest is asked first from then on. */
export class MirroredSource implements ImageSource {
  #clients: readonly RegistryClient[];
  readonly #services: MirrorServices;

  constructor(clients: readonly RegistryClient[], services: MirrorServices) {
    this.#clients = clients;
    this.#services = services;
  }

  /** See ManifestStore: undefined when the last client, too, has it not. Throws the last client's failure. */
  async getManifest(tagOrDigest: string, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    return await this.#first(async (client) => {
      const found = await client.getManifest(tagOrDigest, signal ?? this.#services.signal);
      if (found !== undefined) this.#clients = [client, ...this.#clients.filter((other) => other !== client)];
      return found;
    }, signal);
  }

  /** See BlobSource. Throws the last client's failure. */
  async open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const stream = await this.#first((client) => client.open(descriptor, signal ?? this.#services.signal), signal);
    if (stream === undefined) throw new TypeError("a source without clients");
    return stream;
  }

  async #first<T>(ask: (client: RegistryClient) => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    const clients = this.#clients;
    for (const [index, client] of clients.entries()) {
      const isLast = index === clients.length - 1;
      try {
        const answer = await ask(client);
        if (answer !== undefined || isLast) return answer;
      } catch (error: unknown) {
        this.#services.signal.throwIfAborted();
        signal?.throwIfAborted();
        if (isLast) throw error;
        this.#services.log.warn(`${errorText(error)}; trying the next source`);
      }
    }
    return undefined;
  }
}
