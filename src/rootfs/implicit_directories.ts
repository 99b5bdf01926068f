/**
 * Directories that kiln makes by itself, as a step needs them but does not name their times: the folder of a WORKDIR, missing
 * parents of a COPY. They get one given time, and the directories they are made in keep theirs, so that the same step makes
 * the same layer on every day. BuildKit leaves the time of the build in both.
 */
import { parentPath, type RawPath } from "../sys/raw_path.ts";
import { DirectoryLedger } from "./_directory_ledger.ts";
import type { Ownership, Rootfs } from "./rootfs.ts";

/** The directories of one step. Times are set by `finish`, as whatever is written into a directory changes its time. */
export class ImplicitDirectories {
  readonly #rootfs: Rootfs;
  readonly #timeNs: bigint;
  readonly #ledger = new DirectoryLedger();

  /** `timeNs` (nanoseconds since 1970) is what directories get that are made. */
  constructor(rootfs: Rootfs, timeNs: bigint) {
    this.#rootfs = rootfs;
    this.#timeNs = timeNs;
  }

  /** Makes the directory at the resolved inner path and its missing parents; gives those it made, outermost first. */
  make(inner: RawPath, ownership: Ownership): readonly RawPath[] {
    this.#keepTime(inner);
    const made = this.#rootfs.makeDirectories(inner, ownership);
    for (const path of made) this.#ledger.keep(path, this.#timeNs);
    return made;
  }

  /** Says that the step has itself given the directory this time. */
  setTime(inner: RawPath, mtimeNs: bigint): void {
    if (this.#ledger.has(inner)) this.#ledger.list(inner, { mtimeNs });
  }

  /** Sets all times, deepest first. */
  finish(): void {
    this.#ledger.apply(this.#rootfs, () => {});
  }

  /** The deepest directory that is there already is the one whose time the step would change. */
  #keepTime(inner: RawPath): void {
    for (let path = inner; path !== "/" && path !== ""; path = parentPath(path)) {
      const node = this.#rootfs.lstat(path);
      if (node !== undefined) return this.#ledger.keep(path, node.mtimeNs);
    }
  }
}
