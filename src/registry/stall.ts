/** Silence on a connection: a stream that errors when no byte has come for a while. */

/** No byte came for so long. Only a cause; the transport reports it. */
export class StallError extends Error {
  constructor(readonly silenceMs: number) {
    super(`no byte for ${Math.round(silenceMs / 1000)} seconds`);
    this.name = "StallError";
  }
}

/**
 * `stream`, that errors with StallError when a read takes longer than `silenceMs`; `stream` is then cancelled. Time in
 * which nobody reads does not count. The reader owns the result.
 */
export function failOnSilence(stream: ReadableStream<Uint8Array>, silenceMs: number): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const { done, value } = await withinTime(reader.read(), silenceMs, (error) => {
        reader.cancel(error).catch(() => {/* the silence is the error to report */});
      });
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** The value of `work`, or StallError after `limitMs`; `onStall` then stops the work. */
export function withinTime<T>(work: Promise<T>, limitMs: number, onStall: (error: StallError) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new StallError(limitMs);
      reject(error);
      onStall(error);
    }, limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
