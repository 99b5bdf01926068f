import { deepEqual, equal, rejects } from "node:assert/strict";
import { IntegrityError, verifyStream } from "../../../src/blob/verify_stream.ts";
import { sha256 } from "../../../src/oci/digest.ts";

const BYTES = new Uint8Array([1, 2, 3, 4, 5]);
const GOOD = { digest: sha256(BYTES), size: 5 };

interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  readonly cancelled: unknown[];
}

/** One byte at a time; without an end if `isEndless`. */
function byteSource(isEndless = false): Source {
  const cancelled: unknown[] = [];
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (at >= BYTES.length && !isEndless) controller.close();
      else controller.enqueue(BYTES.slice(at % 5, at % 5 + 1));
      at++;
    },
    cancel: (reason) => void cancelled.push(reason),
  }, { highWaterMark: 0 });
  return { stream, cancelled };
}

Deno.test("verifyStream passes bytes through when size and digest are right", async () => {
  const bytes = await new Response(verifyStream(byteSource().stream, GOOD)).bytes();
  deepEqual([...bytes], [...BYTES]);
});

Deno.test("verifyStream errors with IntegrityError when the bytes are not the promised ones", async () => {
  const read = (size: number, digest = GOOD.digest): Promise<unknown> =>
    new Response(verifyStream(byteSource().stream, { digest, size })).bytes();
  await rejects(read(6), /expected 6 bytes but it ended after 5/);
  await rejects(read(5, sha256(new Uint8Array())), (error: unknown) => {
    equal(error instanceof IntegrityError && error.code, "integrity");
    deepEqual(error instanceof IntegrityError && error.facts, {
      expectedDigest: sha256(new Uint8Array()),
      actualDigest: GOOD.digest,
      expectedSizeBytes: 5,
      actualSizeBytes: 5,
    });
    return true;
  });
});

Deno.test("verifyStream stops an endless source as soon as the size is exceeded", async () => {
  const { stream, cancelled } = byteSource(true);
  await rejects(new Response(verifyStream(stream, GOOD)).bytes(), /expected 5 bytes but it is longer/);
  equal(cancelled.length, 1);
});

Deno.test("verifyStream cancels its source when the reader stops early", async () => {
  const { stream, cancelled } = byteSource();
  const reader = verifyStream(stream, GOOD).getReader();
  await reader.read();
  await reader.cancel("enough");
  deepEqual(cancelled, ["enough"]);
});
