/** The decompressors behind one shape: a stream in, a stream out, FormatError for broken data, the rest passed through. */
import type { Gunzip } from "node:zlib";
import { errorText, FormatError } from "../errors.ts";

type Bytes = ReadableStream<Uint8Array>;
type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Small pieces bound what a decompressor without backpressure gives out at once. */
const PIECE_BYTES = 4096;
const MAX_PENDING_BYTES = 1 << 29;

/** Through a decompressor of node:zlib. Bytes behind the compressed data are read and dropped. */
export function throughNode(stream: Bytes, create: () => NodeTransform, kind: string): Bytes {
  return generated(stream, (reader) => nodeChunks(reader, create(), kind));
}

/** The part of a node:zlib stream that is used. */
export type NodeTransform = Pick<Gunzip, "write" | "end" | "destroy" | "destroyed"> & AsyncIterable<unknown>;

/**
 * zstd in JavaScript: Deno 2.9's own stops without a word after the first of several frames, 2.4 has none. Content
 * checksums are not verified.
 */
export function unzstd(stream: Bytes): Bytes {
  return generated(stream, async function* (reader): AsyncGenerator<Uint8Array, void> {
    const { Decompress } = await import("fzstd");
    const out = new PendingOutput("zstd");
    const decompress = new Decompress((chunk) => out.add(chunk));
    for await (const piece of pieces(reader)) {
      out.catching(() => decompress.push(piece));
      yield* out.take();
    }
    out.catching(() => decompress.push(new Uint8Array(), true));
    yield* out.take();
  });
}

/** bzip2 in JavaScript, for ADD. */
export function bunzip2(stream: Bytes): Bytes {
  return generated(stream, async function* (reader): AsyncGenerator<Uint8Array, void> {
    const module = await import("unbzip2-stream");
    const out = new PendingOutput("bzip2");
    const decompress = module.default();
    decompress.on("data", (chunk: Uint8Array) => out.add(chunk));
    decompress.on("error", (error: unknown) => out.fail(error));
    for await (const piece of pieces(reader)) {
      out.catching(() => decompress.write(piece));
      yield* out.take();
    }
    out.catching(() => decompress.end());
    yield* out.take();
  });
}

/** xz in WebAssembly, for ADD. */
export function unxz(stream: Bytes): Bytes {
  return generated(stream, async function* (reader): AsyncGenerator<Uint8Array, void> {
    const module = await import("xz-decompress");
    const { XzReadableStream } = module.default ?? module;
    const failure: { source?: unknown } = {};
    const source = new ReadableStream<Uint8Array>({
      async pull(controller): Promise<void> {
        const { done, value } = await reader.read().catch((error: unknown) => {
          failure.source = error;
          throw error;
        });
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    try {
      yield* new XzReadableStream(source);
    } catch (error: unknown) {
      throw failure.source ?? broken("xz", error);
    }
  });
}

/** A stream of what `generate` yields. Its end, failure or cancellation cancels `stream`. */
function generated(stream: Bytes, generate: (reader: Reader) => AsyncGenerator<Uint8Array, void>): Bytes {
  const reader = stream.getReader();
  const chunks = generate(reader);
  const cancelSource = async (reason?: unknown): Promise<void> => {
    await reader.cancel(reason).catch(() => {/* a source that has failed is reported by its reads */});
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error: unknown) {
        await cancelSource(error);
        throw error;
      }
    },
    async cancel(reason): Promise<void> {
      await cancelSource(reason);
      await chunks.return();
    },
  }, { highWaterMark: 0 });
}

async function* nodeChunks(reader: Reader, transform: NodeTransform, kind: string): AsyncGenerator<Uint8Array, void> {
  const state: { sourceError?: unknown; hasFailed: boolean; isEnded: boolean; wake: () => void } = {
    hasFailed: false,
    isEnded: false,
    wake: () => {},
  };
  const feeding = feed(reader, transform, state);
  try {
    for await (const chunk of transform) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error: unknown) {
    throw state.hasFailed ? state.sourceError : broken(kind, error);
  } finally {
    state.isEnded = true;
    state.wake();
    transform.destroy();
  }
  await feeding;
  if (state.hasFailed) throw state.sourceError;
}

/** Writes what `reader` reads; once the decompressor has ended, only reads on, so that the source gets to its end. */
async function feed(
  reader: Reader,
  transform: NodeTransform,
  state: { sourceError?: unknown; hasFailed: boolean; isEnded: boolean; wake: () => void },
): Promise<void> {
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      if (state.isEnded || transform.destroyed) continue;
      await new Promise<void>((resolve) => {
        state.wake = resolve;
        transform.write(value, () => resolve());
      });
    }
    if (!transform.destroyed) transform.end();
  } catch (error: unknown) {
    state.hasFailed = true;
    state.sourceError = error;
    transform.destroy(error instanceof Error ? error : undefined);
  }
}

async function* pieces(reader: Reader): AsyncGenerator<Uint8Array, void> {
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    for (let at = 0; at < value.length; at += PIECE_BYTES) yield value.subarray(at, at + PIECE_BYTES);
  }
}

/** What a decompressor has called back with and nobody has taken; its first failure. */
class PendingOutput {
  readonly #kind: string;
  #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #failure: FormatError | undefined;

  constructor(kind: string) {
    this.#kind = kind;
  }

  add(chunk: Uint8Array): void {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > MAX_PENDING_BYTES) {
      throw new FormatError(`Cannot decompress ${this.#kind} data: a small part of it is more than 512 MiB`);
    }
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  fail(error: unknown): void {
    this.#failure ??= error instanceof FormatError ? error : broken(this.#kind, error);
  }

  catching(action: () => void): void {
    try {
      action();
    } catch (error: unknown) {
      this.fail(error);
    }
  }

  /** Gives what came before a failure, then throws it. */
  *take(): Generator<Uint8Array, void> {
    yield* this.#chunks;
    this.#chunks = [];
    this.#sizeBytes = 0;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function broken(kind: string, error: unknown): FormatError {
  return new FormatError(`Cannot decompress ${kind} data: ${errorText(error)}`, { cause: error });
}
