/**
 * Applies one layer to a root: what lower layors left is kept, replaced or hidden. Everything is resolved inside the root
 * at the time of writing, and protected places stay as they are. Source: image-spec layer.md; BuildKit's archive apply.
 */
import { FormatError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import { makeDirectory, unlink } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { pathText, type RawPath } from "../sys/raw_path.ts";
import { lstatAt } from "../sys/stat.ts";
import type { TarHeader } from "../tar/header.ts";
import { readTar, type TarVisitor } from "../tar/read.ts";
import { DirectoryLedger } from "./_directory_ledger.ts";
import { componentFault, type EntryPath, readEntryPath, whiteoutFault } from "./_entry_path.ts";
import { ExtractNotices } from "./_extract_notices.ts";
import { NodeWriter, type Place } from "./_node_writer.ts";
import { childPath, ParentDirectories, type ParentDirectory } from "./_parent_directories.ts";
import type { ContentHasher, KnownContents } from "./content_hash.ts";
import type { Rootfs } from "./rootfs.ts";

/** How a layer is applied. */
export interface ExtractOptions {
  /** Not to be used by others until the layer is applied. */
  readonly hasher: ContentHasher;
  /** Gets the content of every file written. */
  readonly known: KnownContents;
  /** What errors call the layer, such as its digest. */
  readonly layer?: string;
  readonly log?: Logger;
  readonly signal?: AbortSignal;
}

/** What a layer held. */
export interface ExtractSummary {
  readonly entries: number;
  /** Regular files written, hard links not counted, and the bytes in them. */
  readonly files: number;
  readonly fileBytes: number;
  /** Whiteouts and opaque markers. */
  readonly whiteouts: number;
  /** Entries left out: in protected places, reserved names, devices that may not be made. */
  readonly skipped: number;
}

/**
 * Applies the uncompressed tar of one layer to `rootfs`. Whiteouts hide only what lower layers left, wherever they stand
 * in the tar. Directories that the layer does not list keep their time. Throws FormatError for an archive that is broken
 * or says what cannot be, SystemError for what the system refuses; both name the entry. Does not undo what was done.
 */
export async function extractLayer(
  stream: ReadableStream<Uint8Array>,
  rootfs: Rootfs,
  options: ExtractOptions,
): Promise<ExtractSummary> {
  const extraction = new Extraction(rootfs, options);
  try {
    await readTar(stream, extraction, options.signal);
    extraction.finish();
    return extraction.summary();
  } finally {
    extraction.close();
  }
}

/** One layer being applied; all its calls are synchronous, a member is written as its bytes arrive. */
class Extraction implements TarVisitor {
  readonly #rootfs: Rootfs;
  readonly #layer: string;
  readonly #notices: ExtractNotices;
  readonly #ledger = new DirectoryLedger();
  readonly #parents: ParentDirectories;
  readonly #nodes: NodeWriter;
  /** Inner paths that this layer has written, which its whiteouts do not hide. */
  readonly #written = new Set<RawPath>();
  readonly #isWritten = (inner: RawPath): boolean => this.#written.has(inner);
  readonly #counts = { entries: 0, files: 0, fileBytes: 0, whiteouts: 0, skipped: 0 };
  #path = "" as RawPath;

  constructor(rootfs: Rootfs, options: ExtractOptions) {
    this.#rootfs = rootfs;
    this.#layer = options.layer === undefined ? "" : ` of layer ${options.layer}`;
    this.#notices = new ExtractNotices(rootfs, options.log);
    this.#nodes = new NodeWriter(rootfs, { hasher: options.hasher, known: options.known, notices: this.#notices });
    const onMade = (inner: RawPath): void => void this.#written.add(inner);
    this.#parents = new ParentDirectories(rootfs, { ledger: this.#ledger, onMade });
  }

  entry(header: TarHeader): void {
    this.#counts.entries++;
    this.#path = header.path;
    try {
      this.#apply(header, readEntryPath(header.path));
    } catch (error: unknown) {
      throw this.#located(error);
    }
  }

  body(chunk: Uint8Array): void {
    try {
      this.#nodes.writeBody(chunk);
    } catch (error: unknown) {
      throw this.#located(error);
    }
  }

  hole(sizeBytes: number): void {
    try {
      this.#nodes.writeHole(sizeBytes);
    } catch (error: unknown) {
      throw this.#located(error);
    }
  }

  end(): void {
    try {
      this.#nodes.finishFile();
    } catch (error: unknown) {
      throw this.#located(error);
    }
  }

  /** Gives directories their final state. */
  finish(): void {
    this.#parents.close();
    this.#ledger.apply(this.#rootfs, (inner, xattrs) => this.#nodes.setXattrs(inner, xattrs));
  }

  summary(): ExtractSummary {
    return { ...this.#counts };
  }

  close(): void {
    this.#nodes.close();
    this.#parents.close();
  }

  #apply(header: TarHeader, path: EntryPath): void {
    switch (path.kind) {
      case "root":
        if (header.type !== "directory") throw new FormatError("it would replace the root directory");
        return;
      case "ignored":
        this.#counts.skipped++;
        return;
      case "opaque":
        return this.#hideChildren(header, path.parent);
      case "whiteout":
        return this.#hide(header, path);
      case "node":
        return this.#write(header, path);
    }
  }

  #write(header: TarHeader, { parent: parentName, name }: EntryPath): void {
    const fault = componentFault(name);
    if (fault !== undefined) throw new FormatError(fault);
    const parent = this.#parents.open(parentName, { isMade: true, mtimeNs: header.mtimeNs });
    if (parent === undefined) return;
    const place = { fd: parent.fd, name, inner: childPath(parent, name) };
    if (this.#isRefused(parent, place.inner) || !this.#make(place, header)) {
      this.#counts.skipped++;
      return;
    }
    this.#written.add(place.inner);
  }

  #make(place: Place, header: TarHeader): boolean {
    switch (header.type) {
      case "directory":
        return this.#makeDirectory(place, header);
      case "hardlink":
        return this.#makeHardLink(place, header);
      case "symlink":
        return this.#replacing(place, () => this.#nodes.makeSymlink(place, header));
      case "char":
      case "block":
      case "fifo":
        return this.#makeNode(place, header, header.type);
      case "file":
        return this.#beginFile(place, header);
    }
  }

  #makeDirectory(place: Place, header: TarHeader): boolean {
    const { uid, gid, mode, mtimeNs, xattrs } = header;
    if (lstatAt(place.fd, place.name)?.type !== "directory") {
      if (!this.#replacing(place, () => makeDirectory(place.fd, place.name, 0o700))) return false;
    }
    this.#ledger.list(place.inner, { owner: { uid, gid, mode }, mtimeNs, xattrs });
    return true;
  }

  #beginFile(place: Place, header: TarHeader): boolean {
    if (!this.#replacing(place, () => this.#nodes.beginFile(place, header))) return false;
    this.#counts.files++;
    this.#counts.fileBytes += header.size;
    return true;
  }

  #makeHardLink(place: Place, header: TarHeader): boolean {
    const target = this.#rootfs.resolve(`/${header.linkPath}` as RawPath, false);
    if (this.#rootfs.isProtected(target)) {
      this.#notices.protectedPlace(target);
      return false;
    }
    const node = this.#rootfs.lstat(target);
    const named = `its hard link target "${pathText(header.linkPath)}"`;
    if (node === undefined) throw new FormatError(`${named} does not exist`);
    if (node.type === "directory") throw new FormatError(`${named} is a directory`);
    if (target === place.inner) return true;
    return this.#replacing(place, () => this.#nodes.makeHardLink(place, target));
  }

  #makeNode(place: Place, header: TarHeader, type: "char" | "block" | "fifo"): boolean {
    try {
      return this.#replacing(place, () => this.#nodes.makeNode(place, header, type));
    } catch (error: unknown) {
      if (this.#notices.isDeviceRefusal(error, place.inner)) return false;
      throw error;
    }
  }

  /** Runs `make`; if the name is taken, clears it and runs `make` again. False when it may not be cleared. */
  #replacing(place: Place, make: () => void): boolean {
    try {
      make();
      return true;
    } catch (error: unknown) {
      if (!(error instanceof SystemError) || error.errnoName !== "EEXIST") throw error;
    }
    if (!this.#clear(place)) return false;
    make();
    return true;
  }

  #clear({ fd, name, inner }: Place): boolean {
    const type = lstatAt(fd, name)?.type;
    if (type === undefined) return true;
    if (type === "directory" || type === "symlink") this.#parents.forget();
    if (type !== "directory") {
      unlink(fd, name);
      return true;
    }
    const isGone = !this.#rootfs.holdsProtected(inner) && this.#rootfs.remove(inner);
    if (!isGone) this.#notices.protectedPlace(inner);
    return isGone;
  }

  /** Whether nothing may be written at `inner`; tells so. */
  #isRefused(parent: ParentDirectory, inner: RawPath): boolean {
    if (parent.refusal === "reserved") return true;
    const isProtected = parent.refusal === "protected" || (parent.holdsProtected && this.#rootfs.isProtected(inner));
    if (isProtected) this.#notices.protectedPlace(inner);
    return isProtected;
  }

  #hide(header: TarHeader, { parent: parentName, name }: EntryPath): void {
    const fault = whiteoutFault(name);
    if (fault !== undefined) throw new FormatError(fault);
    this.#counts.whiteouts++;
    const parent = this.#parents.open(parentName, { isMade: false, mtimeNs: 0n });
    if (parent === undefined) return;
    const inner = childPath(parent, name);
    if (this.#isRefused(parent, inner)) return;
    const type = name.length > 255 ? undefined : lstatAt(parent.fd, name)?.type;
    if (type === undefined) return;
    if (type === "directory" || type === "symlink") this.#parents.forget();
    if (this.#rootfs.remove(inner, this.#isWritten)) return;
    if (parent.holdsProtected && this.#rootfs.holdsProtected(inner)) this.#notices.protectedPlace(inner);
    if (type !== "directory") return;
    this.#ledger.implyBelow(inner, header.mtimeNs);
    this.#ledger.imply(inner, header.mtimeNs);
  }

  #hideChildren(header: TarHeader, parentName: RawPath): void {
    this.#counts.whiteouts++;
    const parent = this.#parents.open(parentName, { isMade: false, mtimeNs: header.mtimeNs });
    if (parent === undefined || this.#isRefused(parent, parent.inner)) return;
    this.#parents.forget();
    const isEmpty = this.#rootfs.removeChildren(parent.inner, this.#isWritten);
    this.#ledger.implyBelow(parent.inner, header.mtimeNs);
    if (!isEmpty && parent.holdsProtected) this.#notices.protectedPlace(parent.inner);
  }

  #located(error: unknown): unknown {
    const start = `Cannot extract "${pathText(this.#path)}"${this.#layer}: `;
    if (error instanceof SystemError) {
      const reason = error.message.replace(/^Cannot /, "cannot ");
      if (error.errnoName === "ELOOP") return new FormatError(start + reason, { cause: error }); // The image's links.
      return new SystemError(error.syscall, error.errnoName, this.#path, start + reason, { cause: error });
    }
    return error instanceof FormatError ? new FormatError(start + error.message, { cause: error }) : error;
  }
}
