import { deepEqual, equal, rejects } from "node:assert/strict";
import { type BlockFormat, compressInBlocks } from "../../../src/layer/block_stream.ts";
import { sampleBytes, streamOf } from "../../support/byte_streams.ts";
import { readAll } from "../../support/tar_members.ts";

/** Each block as "[bytes]", the last as "<bytes>". */
const FORMAT: BlockFormat = {
  blockBytes: 4,
  encode: (bytes, _level, isLast) => Uint8Array.of(isLast ? 0x3c : 0x5b, ...bytes, isLast ? 0x3e : 0x5d),
  head: Uint8Array.of(0x48),
  tail: () => {
    let count = 0;
    return { update: (bytes) => void (count += bytes.length), bytes: () => Uint8Array.of(0x30 + count) };
  },
};

async function encoded(text: string, piece: number, options = {}): Promise<string> {
  const stream = streamOf(new TextEncoder().encode(text), piece).pipeThrough(compressInBlocks(FORMAT, 1, options));
  return new TextDecoder().decode(await readAll(stream));
}

Deno.test("compressInBlocks cuts at the same places when the pieces differ", async () => {
  for (const piece of [1, 3, 4, 5, 100]) {
    equal(await encoded("abcdefghi", piece), "H[abcd][efgh]<i>9");
    equal(await encoded("abcdefgh", piece), "H[abcd]<efgh>8");
    equal(await encoded("", piece), "H<>0");
  }
});

Deno.test("compressInBlocks keeps the order when a later block is done first", async () => {
  const held: (() => void)[] = [];
  let active = 0;
  let mostActive = 0;
  const encode: BlockFormat["encode"] = async (bytes, level, isLast) => {
    mostActive = Math.max(mostActive, ++active);
    await new Promise<void>((resolve) => {
      held.push(resolve);
      if (held.length === 3 || isLast) { for (const release of held.splice(0).reverse()) release(); }
    });
    active--;
    return await FORMAT.encode(bytes, level, isLast);
  };
  const text = "abcdefghijklmnopqrstuvw";
  equal(await encoded(text, 5, { encode, blocksInFlight: 3 }), await encoded(text, 5).then((plain) => plain));
  equal(mostActive, 3);
});

Deno.test("compressInBlocks fails with the encoder's error", async () => {
  const failure = new TypeError("no");
  await rejects(encoded("abcdefghijkl", 2, { encode: () => Promise.reject(failure), blocksInFlight: 2 }), failure);
});

Deno.test("compressInBlocks gives the block away, so that a slow encoder sees its own bytes", async () => {
  const bytes = sampleBytes(40);
  const seen: Uint8Array[] = [];
  const encode: BlockFormat["encode"] = (block) => {
    seen.push(block);
    return new Uint8Array();
  };
  await readAll(streamOf(bytes, 7).pipeThrough(compressInBlocks(FORMAT, 1, { encode })));
  deepEqual(Uint8Array.from(seen.flatMap((block) => [...block])), bytes);
});
