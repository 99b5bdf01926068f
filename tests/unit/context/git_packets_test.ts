import { deepEqual, equal, rejects } from "node:assert/strict";
import fc from "fast-check";
import { FLUSH_PACKET, GitPacketReader, packetLine } from "../../../src/context/git_packets.ts";

/** The text as a stream, in chunks of so many bytes. */
function streamOf(text: string, chunkBytes: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller): void {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += chunkBytes));
    },
  });
}

Deno.test("GitPacketReader reads what packetLine writes, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string()), fc.integer({ min: 1, max: 9 }), async (lines, chunkBytes) => {
      const reader = new GitPacketReader(streamOf(lines.map(packetLine).join("") + FLUSH_PACKET, chunkBytes));
      const encoder = new TextEncoder();
      for (const line of lines) {
        const packet = await reader.read();
        deepEqual(packet?.kind === "line" && [...packet.bytes], [...encoder.encode(line)]);
      }
      deepEqual(await reader.read(), { kind: "flush" });
      equal(await reader.read(), undefined);
    }),
  );
});

Deno.test("GitPacketReader.readLine gives text without its line feed, and nothing at a flush", async () => {
  const reader = new GitPacketReader(streamOf("0006a\n0005b00000004", 3));
  deepEqual([await reader.readLine(), await reader.readLine(), await reader.readLine()], ["a", "b", undefined]);
  equal(await reader.readLine(), "");
  equal(await reader.readLine(), undefined);
  await reader.cancel();
});

for (const text of ["<htm", "0003", "fff1", "000", "0009abc"]) {
  Deno.test(`GitPacketReader throws when the stream says ${text}`, async () => {
    await rejects(new GitPacketReader(streamOf(text, 2)).read(), { name: "FormatError" });
  });
}
