/**
 * Cuts a stream into blocks that are encoded independently, several at a time if the encoder runs elsewhere, and joined in
 * order: so the output depends on the bytes and the level alone.
 */

/** Encodes one block. It may keep `bytes`, which nobody else uses. */
export type EncodeBlock = (bytes: Uint8Array, level: number, isLast: boolean) => Uint8Array | Promise<Uint8Array>;

/** A compressed form made of blocks. */
export interface BlockFormat {
  readonly blockBytes: number;
  readonly encode: EncodeBlock;
  /** What stands before the first block. */
  readonly head: Uint8Array;
  /** A new sum over the uncompressed bytes, and what stands behind the last block then. */
  readonly tail: () => { update(bytes: Uint8Array): void; bytes(): Uint8Array };
}

/** Who encodes the blocks. */
export interface CompressOptions {
  /** Stands in for the format's own encoder, with the same results: a pool of workers. */
  readonly encode?: EncodeBlock;
  /** Most blocks that are being encoded at a time; 1 unless given. */
  readonly blocksInFlight?: number;
}

/** Bytes in, `format` out. An empty input is one empty block. */
export function compressInBlocks(
  format: BlockFormat,
  level: number,
  options: CompressOptions = {},
): TransformStream<Uint8Array, Uint8Array> {
  const { encode = format.encode, blocksInFlight = 1 } = options;
  const tail = format.tail();
  const pending: (Uint8Array | Promise<Uint8Array>)[] = [];
  let block = new Uint8Array(format.blockBytes);
  let fill = 0;
  type Controller = TransformStreamDefaultController<Uint8Array>;
  const emitDownTo = async (count: number, controller: Controller): Promise<void> => {
    while (pending.length > count) {
      const next = await pending.shift();
      if (next !== undefined && next.length > 0) controller.enqueue(next);
    }
  };
  const submit = (isLast: boolean): void => {
    const bytes = block.subarray(0, fill);
    tail.update(bytes);
    const encoded = encode(bytes, level, isLast);
    // A failure is reported where the block is awaited, in its turn.
    if (encoded instanceof Promise) encoded.catch(() => {});
    pending.push(encoded);
  };
  return new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => {
      if (format.head.length > 0) controller.enqueue(format.head.slice());
    },
    async transform(chunk, controller): Promise<void> {
      for (let at = 0; at < chunk.length;) {
        if (fill === format.blockBytes) {
          submit(false);
          block = new Uint8Array(format.blockBytes);
          fill = 0;
          await emitDownTo(blocksInFlight - 1, controller);
        }
        const taken = Math.min(chunk.length - at, format.blockBytes - fill);
        block.set(chunk.subarray(at, at + taken), fill);
        fill += taken;
        at += taken;
      }
    },
    async flush(controller): Promise<void> {
      submit(true);
      await emitDownTo(0, controller);
      const end = tail.bytes();
      if (end.length > 0) controller.enqueue(end);
    },
  });
}
