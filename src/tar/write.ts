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

type Source<T> = AsyncIterable<T> | Iterable<T>;
type Items<T> = AsyncIterator<T> | Iterator<T>;

const CHUNK_BYTES = 1 << 20;
const NO_BODY: readonly Uint8Array[] = [];

/** How many zeros follow a body of `size` bytes: it is padded to whole blocks of 512. */
export function tarPadding(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}

/**
 * The tar of `entries`. They are pulled one at a time as the stream is read; its chunks are 1 MiB but for the last, and
 * bytes of a body are copied, so the source may reuse its buffer. The stream errors with FormatError when a body has more
 * or fewer bytes than its header says, and with what the source throws. Cancelling it closes the source.
 */
export function writeTar(entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): ReadableStream<Uint8Array> {
  const packer = new TarPacker(entries);
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const chunk = await packer.next();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: () => packer.close(),
  }, { highWaterMark: 0 });
}

/** Fills chunk after chunk; waits only for what is asynchronous itself, as a layer has too many pieces to wait for each. */
class TarPacker {
  readonly #entries: Items<TarEntry>;
  #header: TarHeader | undefined;
  #body: Items<Uint8Array> = itemsOf(NO_BODY);
  #bodyBytes = 0;
  #chunk = new Uint8Array(CHUNK_BYTES);
  #fill = 0;
  #full: Uint8Array[] = [];
  #isDone = false;

  constructor(entries: Source<TarEntry>) {
    this.#entries = itemsOf(entries);
  }

  /** The next chunk, or undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    try {
      while (this.#full.length === 0 && !this.#isDone) {
        if (this.#header === undefined) {
          const step = this.#entries.next();
          this.#takeEntry(step instanceof Promise ? await step : step);
        } else {
          const step = this.#body.next();
          this.#takePiece(this.#header, step instanceof Promise ? await step : step);
        }
      }
    } catch (error: unknown) {
      await this.close();
      throw error;
    }
    return this.#full.shift();
  }

  /** Lets the sources close what they have open. */
  async close(): Promise<void> {
    this.#isDone = true;
    await this.#body.return?.();
    await this.#entries.return?.();
  }

  #takeEntry({ done, value }: IteratorResult<TarEntry>): void {
    if (done) {
      this.#add(TAR_END);
      if (this.#fill > 0) this.#full.push(this.#chunk.subarray(0, this.#fill));
      this.#isDone = true;
      return;
    }
    this.#add(encodeHeader(value.header));
    this.#header = value.header;
    this.#body = itemsOf(value.body ?? NO_BODY);
    this.#bodyBytes = 0;
  }

  #takePiece(header: TarHeader, { done, value }: IteratorResult<Uint8Array>): void {
    if (done) {
      if (this.#bodyBytes < header.size) throw wrongLength(header, `only ${this.#bodyBytes}`);
      this.#add(TAR_END.subarray(0, tarPadding(header.size)));
      this.#header = undefined;
      return;
    }
    this.#bodyBytes += value.length;
    if (this.#bodyBytes > header.size) throw wrongLength(header, `more than ${header.size}`);
    this.#add(value);
  }

  #add(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(piece.length - at, CHUNK_BYTES - this.#fill);
      this.#chunk.set(taken === piece.length ? piece : piece.subarray(at, at + taken), this.#fill);
      this.#fill += taken;
      at += taken;
      if (this.#fill < CHUNK_BYTES) continue;
      this.#full.push(this.#chunk);
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#fill = 0;
    }
  }
}

function itemsOf<T>(source: Source<T>): Items<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

function wrongLength(header: TarHeader, actual: string): FormatError {
  const path = pathText(header.path);
  return new FormatError(
    `Cannot write tar entry "${path}": its header says ${header.size} bytes, its body has ${actual}`,
  );
}
