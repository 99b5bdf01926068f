/**
 * zstd in WebAssembly, for runtimes without it. The package reads its program from a file beside it, so that it stays
 * outside of the bundle (.ci/build.ts) and is loaded at the first use.
 */
import type { compress } from "@bokuweb/zstd-wasm";

/** The compressor of this thread: compiled once. */
class LoadedZstd {
  static #compress: Promise<typeof compress> | undefined;

  static compressor(): Promise<typeof compress> {
    return LoadedZstd.#compress ??= LoadedZstd.#load();
  }

  static async #load(): Promise<typeof compress> {
    const zstd = await import("@bokuweb/zstd-wasm");
    await zstd.init();
    return zstd.compress;
  }
}

/** One zstd frame of `bytes`, which holds its size. */
export async function wasmZstdFrame(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const compressor = await LoadedZstd.compressor();
  return compressor(bytes, level);
}
