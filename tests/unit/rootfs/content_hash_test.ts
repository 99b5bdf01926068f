import { equal, match, notEqual } from "node:assert/strict";
import { type ContentHash, createContentHasher } from "../../../src/rootfs/content_hash.ts";

async function hashOf(capability: Uint8Array | undefined, ...pieces: Uint8Array[]): Promise<ContentHash> {
  const hasher = await createContentHasher();
  hasher.begin(capability);
  for (const piece of pieces) hasher.update(piece);
  return hasher.end();
}

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i);

Deno.test("ContentHasher gives 32 hex digits", async () => {
  match(await hashOf(undefined, BYTES), /^[0-9a-f]{32}$/);
});

Deno.test("ContentHasher gives the same hash however a body is cut", async () => {
  const whole = await hashOf(undefined, BYTES);
  equal(await hashOf(undefined, BYTES.subarray(0, 1), BYTES.subarray(1, 900), BYTES.subarray(900)), whole);
});

Deno.test("ContentHasher starts afresh with each file", async () => {
  const hasher = await createContentHasher();
  hasher.begin(undefined);
  hasher.update(BYTES);
  hasher.begin(undefined);
  equal(hasher.end(), await hashOf(undefined));
});

Deno.test("ContentHasher tells bodies and capabilities apart", async () => {
  const hashes = await Promise.all([
    hashOf(undefined),
    hashOf(undefined, Uint8Array.of(0)),
    hashOf(Uint8Array.of(0)),
    hashOf(Uint8Array.of(1), Uint8Array.of(2)),
    hashOf(Uint8Array.of(1, 2)),
    hashOf(undefined, Uint8Array.of(1, 2)),
  ]);
  equal(new Set(hashes).size, hashes.length);
  notEqual(hashes[0], hashes[1]);
});
