/** Files as streams of large chunks, one read ahead: each read goes through another thread, so that many small ones cost more than the bytes. */

const CHUNK_BYTES = 1 << 20;

/** The bytes of the open `file` from where it stands. The stream owns the file, and closes it at its end or when it is cancelled. */
export function fileStream(file: Deno.FsFile): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const buffer = new Uint8Array(CHUNK_BYTES);
      const length = await file.read(buffer).catch((error: unknown) => {
        file.close();
        throw error;
      });
      if (length === null) {
        file.close();
        controller.close();
      } else controller.enqueue(buffer.subarray(0, length));
    },
    cancel(): void {
      file.close();
    },
  }, { highWaterMark: 1 });
}
