/**
 * Digests: content addresses of stored bytes (`Digest`) and of uncompressed layer tars (`DiffId`).
 * Both read "sha256:<64 lower-case hex>" and are never assignable to each other. Source: image-spec descriptor.md, digests.
 */
import { createHash, type Hash } from "node:crypto";
import { FormatError } from "../errors.ts";

declare const digestBrand: unique symbol;
declare const diffIdBrand: unique symbol;

/** Digest of bytes as they are stored and moved: a blob, a manifest, a config. */
export type Digest = string & { readonly [digestBrand]: true };
/** Digest of a layer's uncompressed tar (image-spec config.md, rootfs.diff_ids). */
export type DiffId = string & { readonly [diffIdBrand]: true };

const SHA256 = /^sha256:[0-9a-f]{64}$/;

/** Reads a digest. Throws FormatError on anything but "sha256:" and 64 lower-case hex digits. */
export function parseDigest(text: string): Digest {
  if (!SHA256.test(text)) throw new FormatError(`Cannot read digest "${text}": expected "sha256:" and 64 hex digits`);
  return text as Digest;
}

/** Reads a diffId; the same form as a digest. Throws FormatError. */
export function parseDiffId(text: string): DiffId {
  if (!SHA256.test(text)) throw new FormatError(`Cannot read diffId "${text}": expected "sha256:" and 64 hex digits`);
  return text as DiffId;
}

/** Whether `text` is a digest that {@link parseDigest} accepts. */
export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}

/**
 * Digest of `bytes`.
 *
 * @example
 * ```ts
 * import { sha256 } from "./digest.ts";
 * import { equal } from "node:assert/strict";
 * equal(sha256(new Uint8Array()), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
 * ```
 */
export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

/** Digest and size of bytes that pass by in pieces. `digest` or `diffId` may be called once, at the end. */
export class Sha256Hasher {
  readonly #hash: Hash = createHash("sha256");
  #sizeBytes = 0;

  /** Bytes seen so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  digest(): Digest {
    return `sha256:${this.#hash.digest("hex")}` as Digest;
  }

  diffId(): DiffId {
    return `sha256:${this.#hash.digest("hex")}` as DiffId;
  }
}
