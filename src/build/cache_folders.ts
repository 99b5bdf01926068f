/**
 * The folders of RUN --mount=type=cache: one for each id, origin and access, kept between builds, and shared by the builds of
 * a machine through file locks. A folder is there whole or not at all.
 */
import { ContextError } from "../context/context_error.ts";
import { sha256 } from "../oci/digest.ts";
import type { CacheMount } from "../plan/plan.ts";
import { type FileLock, type LockKind, tryLockFile } from "../sys/file_lock.ts";
import { changeMode, changeOwner, makeDirectory, rename } from "../sys/inode.ts";
import { joinPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { resolveInRoot } from "../sys/resolve_in_root.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import { CacheLoan, recoverCaches } from "./cache_loan.ts";
import type { CopyingSession, MountedFiles } from "./mounted_files.ts";

/** Where caches are. */
export interface CacheFolderPlace {
  /** The folder of all caches; made when the first one is needed. */
  readonly parent: RawPath;
  /** The root of builds in place: a cache is moved there for a command when it is on the same file system. */
  readonly inplaceRoot: RawPath | undefined;
}

/** What a cache is made from when it is new, and how that is told apart from other origins. */
export interface CacheOrigin {
  readonly identity: string;
  readonly files: MountedFiles;
}

/** A cache of one RUN. Disposing releases it for others. */
export interface OpenCache extends Disposable {
  /** What is to be mounted: the cache, or the part of it that `source` names. */
  readonly folder: RawPath;
  /** For commands that cannot have it mounted. */
  readonly loan: CacheLoan;
}

const POLL_MS = 50;
const MAX_PRIVATE_FOLDERS = 1000;

/** All caches below one folder. */
export class CacheFolders {
  readonly #place: CacheFolderPlace;

  constructor(place: CacheFolderPlace) {
    this.#place = place;
  }

  /** Takes back what an earlier build in place, killed while a command ran, has left at a target. To be called first. */
  async recover(): Promise<void> {
    if (this.#place.inplaceRoot !== undefined) await recoverCaches(this.#place.parent);
  }

  /** Opens the cache of `mount`; waits for other builds as its sharing asks. Throws ContextError, or the signal's reason. */
  async open(mount: CacheMount, origin: CacheOrigin | undefined, session: CopyingSession): Promise<OpenCache> {
    const { parent, inplaceRoot } = this.#place;
    await Deno.mkdir(parent, { recursive: true, mode: 0o700 });
    const isMovable = inplaceRoot !== undefined && lstat(parent)?.dev === lstat(inplaceRoot)?.dev;
    // A cache that is moved away for the command is there for nobody else meanwhile.
    const sharing = isMovable && mount.sharing === "shared" ? "locked" : mount.sharing;
    const locked = await this.#lock(cacheName(mount, origin), sharing, session);
    try {
      if (lstat(locked.folder) === undefined) await makeCache(locked, { mount, origin }, session);
      if (sharing === "shared") await waitFor(() => locked.lock.convert("shared") || undefined, session);
      const folder = partOf(locked.folder, mount, origin);
      const loan = new CacheLoan({
        folder,
        isReadOnly: mount.isReadOnly,
        isMovable,
        lock: locked.lock,
        notesFolder: parent,
      }, session);
      return { folder, loan, [Symbol.dispose]: () => locked.lock[Symbol.dispose]() };
    } catch (error: unknown) {
      locked.lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Locks a folder. A shared lock is taken only where the folder is there: making it takes an exclusive one. */
  async #lock(name: string, sharing: CacheMount["sharing"], session: CopyingSession): Promise<LockedFolder> {
    if (sharing === "private") return this.#lockPrivate(name);
    const folder = joinPath(this.#place.parent, rawPath(name));
    const wanted = (): LockKind => sharing === "shared" && lstat(folder) !== undefined ? "shared" : "exclusive";
    const lock = await waitFor(() => tryLockFile(`${folder}.lock` as RawPath, wanted()), session, () => {
      session.services.log.info(`Waiting for another build to release the cache mount of ${name.slice(0, 12)}`);
    });
    return { folder, lock };
  }

  /** The first folder of that name that nobody uses. */
  #lockPrivate(name: string): LockedFolder {
    for (let number = 0; number < MAX_PRIVATE_FOLDERS; number++) {
      const folder = joinPath(this.#place.parent, rawPath(number === 0 ? name : `${name}-${number}`));
      const lock = tryLockFile(`${folder}.lock` as RawPath, "exclusive");
      if (lock !== undefined) return { folder, lock };
    }
    throw new ContextError({ action: "open cache", source: name, reason: "all of its private folders are in use" });
  }
}

interface LockedFolder {
  readonly folder: RawPath;
  readonly lock: FileLock;
}

/** What makes two mounts the same cache. */
function cacheName(mount: CacheMount, origin: CacheOrigin | undefined): string {
  const { id, uid, gid, mode } = mount;
  const parts = [id, uid, gid, mode, ...(origin === undefined ? [] : [origin.identity, mount.source])];
  return sha256(new TextEncoder().encode(JSON.stringify(parts))).slice("sha256:".length);
}

/** Makes the folder beside its place and puts it there when it is complete. */
async function makeCache(
  { folder }: LockedFolder,
  { mount, origin }: { readonly mount: CacheMount; readonly origin: CacheOrigin | undefined },
  session: CopyingSession,
): Promise<void> {
  const fresh = `${folder}.new` as RawPath;
  if (lstat(fresh) !== undefined) await Deno.remove(fresh, { recursive: true }); // A build was killed while it made it.
  if (origin?.files.isFolder === false) {
    throw new ContextError({
      action: "mount",
      source: mount.source,
      reason: "a cache begins as a folder, not as a file",
    });
  }
  if (origin === undefined) makeDirectory(AT_CWD, fresh, 0o700);
  else await origin.files.copyTo(fresh);
  if (origin === undefined || mount.mode !== DEFAULT_MODE || mount.uid !== 0 || mount.gid !== 0) {
    changeOwner(AT_CWD, fresh, mount.uid, mount.gid);
    changeMode(AT_CWD, fresh, mount.mode);
  }
  rename(AT_CWD, fresh, AT_CWD, folder);
  session.services.log.debug("New cache mount", { id: mount.id, folder });
}

const DEFAULT_MODE = 0o755;

/** `source` without `from` is a folder in the cache itself; links that a command has put there lead nowhere else. */
function partOf(folder: RawPath, { source, id }: CacheMount, origin: CacheOrigin | undefined): RawPath {
  if (source === "/" || origin !== undefined) return folder;
  const { outside, inode } = resolveInRoot(folder, rawPath(source));
  if (inode?.type === "directory") return outside;
  throw new ContextError({ action: "mount", source, reason: `it is no folder of the cache "${id}"` });
}

/** Tries until `attempt` gives something; `onWait` is called once, before the first pause. */
async function waitFor<T>(
  attempt: () => T | undefined,
  { services: { signal } }: CopyingSession,
  onWait: () => void = () => undefined,
): Promise<T> {
  for (let isFirst = true;; isFirst = false) {
    signal.throwIfAborted();
    const result = attempt();
    if (result !== undefined) return result;
    if (isFirst) onWait();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
