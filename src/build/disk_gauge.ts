/** How much of the disk a build takes, added up from what is known anyway: nothing is walked or asked for it. */

/** Bytes by what holds them: a blob by its digest, a root by its path. */
export class DiskGauge {
  readonly #parts = new Map<string, number>();
  #bytes = 0;
  #peakBytes = 0;

  /** Most bytes that were held at a time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Says that `part` holds `bytes` now. */
  set(part: string, bytes: number): void {
    this.#bytes += bytes - (this.#parts.get(part) ?? 0);
    this.#parts.set(part, bytes);
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
  }

  /** Says that `part` holds so much more. */
  add(part: string, bytes: number): void {
    this.set(part, (this.#parts.get(part) ?? 0) + bytes);
  }
}
