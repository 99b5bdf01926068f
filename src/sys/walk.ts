/**
 * The one directory walker: getdents64 and statx over reused buffers, entries in byte order, parents before children.
 * Mount points and other excluded places are the visitor's decision: it says where to descend.
 */
import { closeFile, openDirectory } from "./file.ts";
import { check, libc, SystemError } from "./libc.ts";
import { pathText, type RawPath } from "./raw_path.ts";
import { AT_CWD, StatBuffer } from "./stat.ts";

const DIRENT_BYTES = 65536;
/** From this depth on buffers are small, so that a deep tree takes no memory to speak of. */
const LARGE_DEPTH = 32;
const DEEP_DIRENT_BYTES = 4096;
const RECORD_LENGTH_OFFSET = 16;
const NAME_OFFSET = 19;
const DOT = 0x2e;
/** A path of one-letter names is not deeper: beyond, no file can be named any more (PATH_MAX). */
const MAX_DEPTH = 2048;

/** One name of a directory, with the address of its NUL-terminated bytes in `memory`, which it keeps alive. */
interface Entry {
  readonly name: RawPath;
  readonly pointer: bigint;
  readonly memory: Uint8Array;
}

/** Receives a walk. `stat` is only valid during the call. */
export interface WalkVisitor {
  /**
   * One entry below the root: its name and the descriptor of the directory it is in. Returns whether to descend, which
   * only matters for directories.
   */
  enter(name: RawPath, stat: StatBuffer, directory: number): boolean;
  /** All of the directory entered last has been seen. Called for each directory that `enter` agreed to. */
  leave(): void;
}

/** Walks everything below the directory at the absolute path `root`; the root itself is not reported. */
export function walk(root: RawPath, visitor: WalkVisitor): void {
  const fd = openDirectory(AT_CWD, root);
  try {
    new Walker(visitor).walkDirectory(fd, 0);
  } finally {
    closeFile(fd);
  }
}

/** The names in the open directory `fd`, in byte order, without "." and "..". */
export function directoryNames(fd: number): RawPath[] {
  return readEntries(fd, new Uint8Array(DIRENT_BYTES)).map((entry) => entry.name);
}

/** The names in the directory at the absolute `path`, in byte order. */
export function listDirectory(path: RawPath): RawPath[] {
  const fd = openDirectory(AT_CWD, path);
  try {
    return directoryNames(fd);
  } finally {
    closeFile(fd);
  }
}

/** One walk: its result buffer, and one directory buffer for each depth, used again for every directory there. */
class Walker {
  readonly #stat = new StatBuffer();
  readonly #buffers: Uint8Array[] = [];
  readonly #visitor: WalkVisitor;

  constructor(visitor: WalkVisitor) {
    this.#visitor = visitor;
  }

  walkDirectory(fd: number, depth: number): void {
    const buffer = this.#buffers[depth] ??= new Uint8Array(depth < LARGE_DEPTH ? DIRENT_BYTES : DEEP_DIRENT_BYTES);
    for (const { name, pointer } of readEntries(fd, buffer)) {
      if (!this.#stat.readPointer(fd, pointer)) continue;
      const isDirectory = this.#stat.type === "directory";
      if (this.#visitor.enter(name, this.#stat, fd) && isDirectory) this.#descend(fd, name, depth);
    }
  }

  #descend(fd: number, name: RawPath, depth: number): void {
    if (depth >= MAX_DEPTH) {
      const message = `Cannot walk into "${pathText(name)}": it is more than ${MAX_DEPTH} directories deep`;
      throw new SystemError("openat", "ENAMETOOLONG", name, message);
    }
    const child = openChild(fd, name);
    if (child !== undefined) {
      try {
        this.walkDirectory(child, depth + 1);
      } finally {
        closeFile(child);
      }
    }
    this.#visitor.leave();
  }
}

/** A directory that vanished between statx and open has no children: its parent will be seen to have changed. */
function openChild(fd: number, name: RawPath): number | undefined {
  try {
    return openDirectory(fd, name);
  } catch (error: unknown) {
    if (error instanceof SystemError && error.errnoName === "ENOENT") return undefined;
    throw error;
  }
}

/** Reads the directory into `buffer`, and into further ones where it is larger. */
function readEntries(fd: number, buffer: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  for (let memory = buffer;; memory = new Uint8Array(DIRENT_BYTES)) {
    const target = memory as Uint8Array<ArrayBuffer>;
    const used = check(Number(libc().getdents64(fd, target, BigInt(target.length))), "getdents64");
    if (used === 0) break;
    collectEntries(memory, used, entries);
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function collectEntries(memory: Uint8Array, used: number, entries: Entry[]): void {
  const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory as Uint8Array<ArrayBuffer>));
  for (let offset = 0; offset < used;) {
    const start = offset + NAME_OFFSET;
    const first = memory[start];
    const second = memory[start + 1];
    const isDots = first === DOT && (second === 0 || (second === DOT && memory[start + 2] === 0));
    if (!isDots) entries.push({ name: nameAt(memory, start), pointer: base + BigInt(start), memory });
    offset += (memory[offset + RECORD_LENGTH_OFFSET] ?? 0) | ((memory[offset + RECORD_LENGTH_OFFSET + 1] ?? 0) << 8);
  }
}

function nameAt(buffer: Uint8Array, start: number): RawPath {
  let name = "";
  for (let i = start, code = buffer[i]; code !== undefined && code !== 0; code = buffer[++i]) {
    name += String.fromCharCode(code);
  }
  return name as RawPath;
}
