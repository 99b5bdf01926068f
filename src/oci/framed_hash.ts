/**
 * A digest of values instead of bytes: every part says what it is and how long it is, so that no two different values give
 * the same bytes to hash. Cache keys and digests of file lists are made with it.
 */
import { type Digest, Sha256Hasher } from "./digest.ts";

/** What can be framed. Members that are undefined count as absent; the order of an object's members does not matter. */
export type Framed =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly Framed[]
  | { readonly [name: string]: Framed };

/** Takes values one after another. `digest` may be called once, at the end. */
export class FramedHasher {
  readonly #hasher = new Sha256Hasher();
  readonly #encoder = new TextEncoder();

  /** Adds one value. */
  add(value: Framed): void {
    if (typeof value === "string") return this.#frame("s", this.#encoder.encode(value));
    if (value === null || value === undefined) return this.#head("n", 0);
    if (value instanceof Uint8Array) return this.#frame("y", value);
    if (typeof value !== "object") return this.#frame(typeof value, this.#encoder.encode(String(value)));
    if (isList(value)) {
      this.#head("l", value.length);
      for (const element of value) this.add(element);
      return;
    }
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => a < b ? -1 : 1);
    this.#head("o", members.length);
    for (const [name, member] of members) {
      this.add(name);
      this.add(member);
    }
  }

  /** The digest of all values. */
  digest(): Digest {
    return this.#hasher.digest();
  }

  #frame(kind: string, bytes: Uint8Array): void {
    this.#head(kind, bytes.length);
    this.#hasher.update(bytes);
  }

  #head(kind: string, length: number): void {
    this.#hasher.update(this.#encoder.encode(`${kind}${length}:`));
  }
}

/**
 * The digest of one value.
 *
 * @example
 * ```ts
 * import { framedDigest } from "./framed_hash.ts";
 * import { equal, notEqual } from "node:assert/strict";
 * notEqual(framedDigest(["ab", "c"]), framedDigest(["a", "bc"]));
 * equal(framedDigest({ a: 1, b: 2 }), framedDigest({ b: 2, a: 1 }));
 * ```
 */
export function framedDigest(value: Framed): Digest {
  const hasher = new FramedHasher();
  hasher.add(value);
  return hasher.digest();
}

function isList(value: object): value is readonly Framed[] {
  return Array.isArray(value);
}
