/**
 * Where COPY and ADD put a source: the destination is resolved inside the rootfs, links at its end included, and missing
 * directories are made. Source of the rules: BuildKit's file operations.
 */
import { ContextError } from "../context/context_error.ts";
import { UnsupportedError } from "../errors.ts";
import { baseName, cleanPath, joinPath, parentPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import type { CopyWriter } from "./copy_writer.ts";
import type { Ownership, Rootfs } from "./rootfs.ts";

/** Makes destinations ready. */
export class CopyTarget {
  readonly #writer: CopyWriter;
  readonly #rootfs: Rootfs;
  readonly #path: RawPath;
  readonly #isDirectory: boolean;
  readonly #parentOwnership: Ownership;

  /** `destination` is absolute; `parentOwnership` is what directories that must be made get. */
  constructor(writer: CopyWriter, destination: string, parentOwnership: Ownership) {
    const path = rawPath(destination);
    this.#writer = writer;
    this.#rootfs = writer.rootfs;
    this.#path = cleanPath(path);
    this.#isDirectory = /(^|\/)\.?$/.test(path);
    this.#parentOwnership = parentOwnership;
  }

  /** The resolved inner path that a file called `name` goes to; its parent is there. */
  forFile(name: RawPath): RawPath {
    const resolved = this.#resolve();
    if (this.#isDirectory) this.#makeDirectories(resolved);
    if (this.#rootfs.lstat(resolved)?.type === "directory") return this.#checked(joinPath(resolved, name));
    this.#makeDirectories(parentPath(resolved));
    return resolved;
  }

  /** The resolved inner path of the destination as a directory, which is there. Throws ContextError where a file is. */
  forDirectory(): RawPath {
    const resolved = this.#resolve();
    const existing = this.#rootfs.lstat(resolved);
    if (existing !== undefined && existing.type !== "directory") {
      throw new ContextError({ action: "copy a directory to", source: pathText(resolved), reason: "not a directory" });
    }
    this.#makeDirectories(resolved);
    return resolved;
  }

  #resolve(): RawPath {
    return this.#checked(this.#rootfs.resolve(this.#path, true));
  }

  #makeDirectories(inner: RawPath): void {
    this.#writer.makeDirectories(inner, this.#parentOwnership);
  }

  #checked(inner: RawPath): RawPath {
    if (!this.#rootfs.isProtected(inner)) return inner;
    throw new UnsupportedError(
      `Cannot copy to "${pathText(inner)}": a mount or kiln's own folder is there, which is not part of the image`,
      { hint: `Copy "${pathText(baseName(inner))}" to another place` },
    );
  }
}
