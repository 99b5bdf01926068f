/**
 * A commit's files written into a folder: mode 0644 or 0755 whatever the umask, symlinks as they are, nothing outside of the
 * folder whatever the trees say, as every directory is made by this checkout and by nobody else.
 */
import { ContextError } from "./context_error.ts";
import { changeModeOfFile, closeFile, createFile, openDirectory, setFileSize, writeFile } from "../sys/file.ts";
import { changeMode, makeDirectory, setTimes, symlink } from "../sys/inode.ts";
import { joinPath, pathText, type RawPath, rawPathFromBytes } from "../sys/raw_path.ts";
import { AT_CWD } from "../sys/stat.ts";
import type { GitTreeEntry } from "./git_objects.ts";
import type { GitRepository } from "./git_repository.ts";

/** How a tree is written. */
export interface CheckoutOptions {
  /** What errors call the repository. */
  readonly source: string;
  /** Nanoseconds since 1970; undefined leaves the time of writing. */
  readonly mtimeNs: bigint | undefined;
  readonly signal: AbortSignal;
}

/** One file of a checkout, or a submodule, whose folder was made and is empty. Paths are relative. */
export interface CheckedOutEntry {
  readonly path: RawPath;
  readonly kind: Exclude<GitTreeEntry["kind"], "tree">;
  readonly id: string;
}

/** More files than this are not written: trees that name each other stand for any number. */
export const MAX_ENTRIES = 5_000_000;

const MAX_DEPTH = 1000;
const FOLDER_MODE = 0o755;

/** Writes the tree `id` into the empty directory at the absolute host path `folder`. Gives all that is not a directory. */
export async function checkOut(
  repository: GitRepository,
  id: string,
  folder: RawPath,
  options: CheckoutOptions,
): Promise<readonly CheckedOutEntry[]> {
  const checkout = new Checkout(repository, options);
  const directory = openDirectory(AT_CWD, folder);
  try {
    await checkout.write(id, directory, "" as RawPath, 0);
  } finally {
    closeFile(directory);
  }
  return checkout.entries;
}

class Checkout {
  readonly entries: CheckedOutEntry[] = [];
  readonly #repository: GitRepository;
  readonly #options: CheckoutOptions;
  #count = 0;

  constructor(repository: GitRepository, options: CheckoutOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  async write(id: string, directory: number, path: RawPath, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw this.#fault(`its folders are nested deeper than ${MAX_DEPTH}`);
    for (const entry of await this.#repository.tree(id)) {
      this.#options.signal.throwIfAborted();
      if (++this.#count > MAX_ENTRIES) throw this.#fault(`it holds more than ${MAX_ENTRIES} files`);
      await this.#writeEntry(entry, directory, joinPath(path, entry.name), depth);
    }
  }

  async #writeEntry({ kind, name, id }: GitTreeEntry, directory: number, path: RawPath, depth: number): Promise<void> {
    if (kind !== "tree") this.entries.push({ path, kind, id });
    switch (kind) {
      case "file":
      case "program":
        this.#writeFile(directory, name, await this.#repository.blob(id), kind === "program" ? 0o755 : 0o644);
        break;
      case "symlink":
        this.#writeSymlink(directory, name, await this.#repository.blob(id), path);
        break;
      case "commit":
        makeFolder(directory, name);
        break;
      case "tree": {
        makeFolder(directory, name);
        const child = openDirectory(directory, name);
        try {
          await this.write(id, child, path, depth + 1);
        } finally {
          closeFile(child);
        }
      }
    }
    if (this.#options.mtimeNs !== undefined) setTimes(directory, name, this.#options.mtimeNs);
  }

  #writeFile(directory: number, name: RawPath, content: Uint8Array, mode: number): void {
    const fd = createFile(directory, name, mode);
    try {
      if (content.length === 0) setFileSize(fd, 0);
      else writeFile(fd, content);
      changeModeOfFile(fd, mode);
    } finally {
      closeFile(fd);
    }
  }

  #writeSymlink(directory: number, name: RawPath, content: Uint8Array, path: RawPath): void {
    const target = rawPathFromBytes(content);
    if (target === "" || target.includes("\0")) throw this.#fault(`the symlink "${pathText(path)}" leads nowhere`);
    symlink(directory, name, target);
  }

  #fault(reason: string): ContextError {
    return new ContextError({ action: "check out", source: this.#options.source, reason });
  }
}

function makeFolder(directory: number, name: RawPath): void {
  makeDirectory(directory, name, FOLDER_MODE);
  changeMode(directory, name, FOLDER_MODE);
}
