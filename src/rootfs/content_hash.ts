/**
 * Content hashes: what a regular file holds, body and `security.capability` together, as XXH3-128. They only answer "is
 * this the same as before?" within one build; nothing that leaves the build is identified by them.
 */
import { createXXHash128, type IHasher } from "hash-wasm";

declare const contentHashBrand: unique symbol;

/** 32 hex digits. Equal hashes: equal bodies and equal capabilities. */
export type ContentHash = string & { readonly [contentHashBrand]: true };

const NO_CAPABILITY = Uint8Array.of(0);

/** Hashes the content of one file after the other. Make it once with {@link createContentHasher}. */
export class ContentHasher {
  readonly #hasher: IHasher;

  constructor(hasher: IHasher) {
    this.#hasher = hasher;
  }

  /** Starts a file whose `security.capability` is `capability`. */
  begin(capability: Uint8Array | undefined): void {
    this.#hasher.init();
    if (capability === undefined) {
      this.#hasher.update(NO_CAPABILITY);
      return;
    }
    this.#hasher.update(Uint8Array.of(capability.length));
    this.#hasher.update(capability);
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  /** The hash of the file begun last. */
  end(): ContentHash {
    return this.#hasher.digest("hex") as ContentHash;
  }
}

/** Makes a hasher; compiles its WebAssembly once. */
export async function createContentHasher(): Promise<ContentHasher> {
  return new ContentHasher(await createXXHash128());
}

/**
 * Hashes of files that the builder has itself written or read since the last RUN ended, by inode number. The next scan
 * takes them over into its Tree and clears them; a RUN may change any file, so they never outlive one.
 */
export type KnownContents = Map<bigint, ContentHash>;
