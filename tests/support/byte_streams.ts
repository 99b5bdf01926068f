/** Streams made of bytes, and of failures. */

/** A stream of `bytes` in pieces of `pieceBytes`, given out only as it is read. */
export function streamOf(bytes: Uint8Array, pieceBytes = 65536): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller): void {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  }, { highWaterMark: 0 });
}

/** A stream of `bytes` that then fails with `error`. */
export function failingStream(bytes: Uint8Array, error: Error): ReadableStream<Uint8Array> {
  let isGiven = bytes.length === 0;
  return new ReadableStream({
    pull(controller): void {
      if (isGiven) throw error;
      isGiven = true;
      controller.enqueue(bytes);
    },
  }, { highWaterMark: 0 });
}

/** Whatever a program writes to its output when it is fed `bytes`; fails unless it exits with 0. */
export async function piped(command: string, args: readonly string[], bytes: Uint8Array): Promise<Uint8Array> {
  const child = new Deno.Command(command, { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const [output] = await Promise.all([child.output(), streamOf(bytes).pipeTo(child.stdin)]);
  if (!output.success) throw new TypeError(`${command}: ${new TextDecoder().decode(output.stderr)}`);
  return output.stdout;
}

/** Bytes that compress neither to nothing nor not at all; the same at each call. */
export function sampleBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 12345;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = (state >>> 28) === 0 ? state >>> 16 : i >>> 5;
  }
  return bytes;
}
