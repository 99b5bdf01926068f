/**
 * A cache mount where nothing can be mounted: the folder, or a copy of it, is put at the target for the time of the command.
 * A moved folder leaves a note, by which the next build finds it if this one is killed.
 */
import { InternalError } from "../errors.ts";
import type { FileLock } from "../sys/file_lock.ts";
import { changeMode, changeOwner, makeDirectory, rename } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { baseName, joinPath, parentPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import { copyFolder, type CopyingSession } from "./mounted_files.ts";

/** What is lent. */
export interface LentCache {
  readonly folder: RawPath;
  /** Whether what the command does to it is lost. */
  readonly isReadOnly: boolean;
  /** Whether the folder may be moved to the target and back. */
  readonly isMovable: boolean;
  /** The lock that this build holds on it. */
  readonly lock: FileLock;
  /** Where the note of a move is kept. */
  readonly notesFolder: RawPath;
}

const NOTE_SUFFIX = ".lent";

/** One cache that is lent and taken back. */
export class CacheLoan {
  readonly #cache: LentCache;
  readonly #session: CopyingSession;
  readonly #note: string;
  #isMoved = false;

  constructor(cache: LentCache, session: CopyingSession) {
    this.#cache = cache;
    this.#session = session;
    this.#note = `${cache.notesFolder}/${crypto.randomUUID()}${NOTE_SUFFIX}`;
  }

  /** Puts the cache at `place`, which is not there yet. */
  async lend(place: RawPath): Promise<void> {
    const { folder, isReadOnly, isMovable } = this.#cache;
    if (lstat(folder) === undefined) throw new InternalError("Cannot lend a cache twice at a time");
    this.#isMoved = !isReadOnly && isMovable && await moved(folder, place, this.#note);
    if (!this.#isMoved) await copyFolder(folder, place, this.#session);
  }

  /** Takes what is at `place` as the cache's new content, unless that is to be lost. */
  async takeBack(place: RawPath): Promise<void> {
    if (this.#isMoved) return await this.#moveBack(place);
    const isLost = this.#cache.isReadOnly || this.#session.services.signal.aborted;
    if (!isLost) await this.#copyBack(place);
  }

  async #moveBack(place: RawPath): Promise<void> {
    const { folder } = this.#cache;
    if (lstat(place)?.type === "directory") rename(AT_CWD, place, AT_CWD, folder);
    else makeDirectory(AT_CWD, folder, 0o755); // The command has removed it, and so all that it held.
    await Deno.remove(this.#note);
    this.#isMoved = false;
  }

  /** Others may use the old content until the new one is there as a whole; of two that end at once, the last one counts. */
  async #copyBack(place: RawPath): Promise<void> {
    const { folder, lock } = this.#cache;
    if (lstat(place)?.type !== "directory") return;
    const node = lstat(folder);
    const fresh = `${folder}.${crypto.randomUUID()}` as RawPath;
    await copyFolder(place, fresh, this.#session);
    if (node !== undefined) {
      changeOwner(AT_CWD, fresh, node.uid, node.gid);
      changeMode(AT_CWD, fresh, node.mode);
    }
    while (!lock.convert("exclusive")) {
      this.#session.services.signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const old = `${fresh}.old` as RawPath;
    rename(AT_CWD, folder, AT_CWD, old);
    rename(AT_CWD, fresh, AT_CWD, folder);
    await Deno.remove(old, { recursive: true });
  }
}

/** Puts caches that a killed build has left at their targets back into the folder `parent`. */
export async function recoverCaches(parent: RawPath): Promise<void> {
  for (const path of await notesIn(parent)) {
    const note = JSON.parse(await Deno.readTextFile(path)) as LoanNote;
    const found = lstat(note.place);
    const isSame = found?.type === "directory" && String(found.ino) === note.ino && found.dev === note.dev;
    if (isSame && lstat(note.folder) === undefined) rename(AT_CWD, note.place, AT_CWD, note.folder);
    await Deno.remove(path);
  }
}

interface LoanNote {
  readonly folder: RawPath;
  readonly place: RawPath;
  readonly ino: string;
  readonly dev: number;
}

/** Moves the folder if its file system lets it be moved. */
async function moved(folder: RawPath, place: RawPath, notePath: string): Promise<boolean> {
  const inode = lstat(folder);
  const lasting = joinPath(rawPath(await Deno.realPath(parentPath(place))), baseName(place));
  const note: LoanNote = { folder, place: lasting, ino: String(inode?.ino), dev: inode?.dev ?? 0 };
  await Deno.writeTextFile(notePath, JSON.stringify(note), { mode: 0o600 });
  try {
    rename(AT_CWD, folder, AT_CWD, place);
    return true;
  } catch (error: unknown) {
    await Deno.remove(notePath);
    if (error instanceof SystemError && error.errnoName === "EXDEV") return false;
    throw error;
  }
}

async function notesIn(parent: RawPath): Promise<readonly string[]> {
  try {
    const names = (await Array.fromAsync(Deno.readDir(parent))).map(({ name }) => name);
    return names.filter((name) => name.endsWith(NOTE_SUFFIX)).map((name) => `${parent}/${name}`);
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
