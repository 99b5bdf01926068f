/** Writes a tar as a stream: headers, bodies, padding and the end mark, in the order given; equal input, equal bytes. */
import { FormatError } from "../errors.ts";
import { pathText } from "../sys/raw_path.ts";
import { BLOCK_BYTES, encodeHeader, type TarHeader } from "./header.ts";

/** A member to be written. `body` must give exactly `header.size` bytes; it may be left out when that is 0. */
export interface TarEntry {
  readonly header: TarHeader;
  readonly body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The end mark: two blocks of zeros. Shared; not to be written to. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK_BYTES);

const CHUNK_BYTES = 128 * 1024;
const NO_BODY: readonly Uint8Array[] = [];

/** How many zeros follow a body of `size` bytes: it is padded to whole blocks of 512. */
export function tarPadding(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}

/**
 * The tar of `entries`. They are pulled one at a time as the stream is read; its chunks are 128 KiB but for the last, and
 * bytes of a body are copied, so the source may reuse its buffer. The stream errors with FormatError when a body has more
 * or fewer bytes than its header says, and with what the source throws. Cancelling it closes the source.
 */
export function writeTar(entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): ReadableStream<Uint8Array> {
  const chunks = tarChunks(entries);
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(): Promise<void> {
      await chunks.return(undefined);
    },
  }, { highWaterMark: 0 });
}

async function* tarChunks(entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): AsyncGenerator<Uint8Array, void> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let fill = 0;
  for await (const piece of tarPieces(entries)) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(piece.length - at, CHUNK_BYTES - fill);
      chunk.set(piece.subarray(at, at + taken), fill);
      fill += taken;
      at += taken;
      if (fill < CHUNK_BYTES) continue;
      yield chunk;
      chunk = new Uint8Array(CHUNK_BYTES);
      fill = 0;
    }
  }
  if (fill > 0) yield chunk.subarray(0, fill);
}

async function* tarPieces(entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): AsyncGenerator<Uint8Array, void> {
  for await (const { header, body } of entries) {
    yield encodeHeader(header);
    let size = 0;
    for await (const piece of body ?? NO_BODY) {
      size += piece.length;
      if (size > header.size) throw wrongLength(header, `more than ${header.size}`);
      yield piece;
    }
    if (size < header.size) throw wrongLength(header, `only ${size}`);
    yield TAR_END.subarray(0, tarPadding(size));
  }
  yield TAR_END;
}

function wrongLength(header: TarHeader, actual: string): FormatError {
  const path = pathText(header.path);
  return new FormatError(
    `Cannot write tar entry "${path}": its header says ${header.size} bytes, its body has ${actual}`,
  );
}
