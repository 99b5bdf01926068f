/**
 * Unpacks an archive that ADD names into a directory of the rootfs. Names are relative to that directory, whatever they
 * begin with; ".." out of it is an error; it is the root for symlinks on the way, as BuildKit unpacks chrooted to it. Not
 * a layer: whiteouts have no meaning here.
 */
import { ContextError } from "../context/context_error.ts";
import { joinPath, pathComponents, pathText, type RawPath } from "../sys/raw_path.ts";
import { lstat } from "../sys/stat.ts";
import type { TarHeader } from "../tar/header.ts";
import { readTar, type TarVisitor } from "../tar/read.ts";
import { type CopyWriter, type FileWrite, NO_NODE_XATTRS, type NodeMetadata, placeOf } from "./copy_writer.ts";
import type { Owner } from "./owner.ts";
import { Rootfs } from "./rootfs.ts";

/** What to unpack where. */
export interface UnpackRequest {
  /** The archive's path as people know it. */
  readonly archive: string;
  /** Resolved inner path of the directory to unpack into, which is there. */
  readonly destination: RawPath;
  /** --chown, for every entry; undefined takes the archive's ids. */
  readonly owner: Owner | undefined;
  readonly signal: AbortSignal;
}

const PARENT_MODE = 0o755;

/** Unpacks the plain tar `stream`. Throws FormatError for a broken archive, ContextError for an entry that leads out. */
export async function unpackArchive(
  stream: ReadableStream<Uint8Array>,
  request: UnpackRequest,
  writer: CopyWriter,
): Promise<void> {
  const unpacker = new Unpacker(writer, request);
  try {
    await readTar(stream, unpacker, request.signal);
    unpacker.finish();
  } finally {
    unpacker.close();
  }
}

class Unpacker implements TarVisitor {
  readonly #writer: CopyWriter;
  readonly #request: UnpackRequest;
  readonly #destination: Rootfs;
  /** Parent as written -> resolved; cleared when a link may have changed the answer. */
  #parents = new Map<string, RawPath>();
  /** Times of directories, set when all is in them. */
  readonly #directories = new Map<RawPath, NodeMetadata>();
  #file: FileWrite | undefined;

  constructor(writer: CopyWriter, request: UnpackRequest) {
    this.#writer = writer;
    this.#request = request;
    this.#destination = new Rootfs(writer.rootfs.hostPath(request.destination), []);
  }

  entry(header: TarHeader): void {
    const parts = this.#innerParts(header, header.path);
    const name = parts.at(-1);
    if (name === undefined) return; // The archive's root: the destination keeps what it has.
    const inner = joinPath(this.#parent(parts.slice(0, -1)), name);
    if (this.#writer.rootfs.isProtected(inner)) return this.#writer.warnProtected(inner);
    if (header.type === "directory") return this.#makeDirectory(inner, header);
    this.#clear(inner, header);
    this.#make(inner, header);
  }

  body(chunk: Uint8Array): void {
    this.#file?.body(chunk);
  }

  end(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      file?.end();
    } finally {
      file?.close();
    }
  }

  /** Gives directories their metadata, the innermost first. */
  finish(): void {
    for (const [inner, metadata] of [...this.#directories].reverse()) {
      if (this.#writer.rootfs.lstat(inner)?.type !== "directory") continue;
      this.#writer.finishDirectory(placeOf(this.#writer.rootfs, inner), metadata);
    }
  }

  close(): void {
    this.#file?.close();
  }

  #make(inner: RawPath, header: TarHeader): void {
    const place = placeOf(this.#writer.rootfs, inner);
    const metadata = this.#metadata(header);
    switch (header.type) {
      case "file":
        this.#file = this.#writer.beginFile(place, metadata);
        return;
      case "hardlink":
        return this.#writer.writeHardLink(place, this.#linkTarget(header));
      case "symlink":
        this.#parents.clear();
        return this.#writer.writeSymlink(place, header.linkPath, { ...metadata, xattrs: NO_NODE_XATTRS });
      case "char":
      case "block":
      case "fifo": {
        const node = { type: header.type, rdevMajor: header.devMajor, rdevMinor: header.devMinor };
        return this.#writer.writeSpecial(place, node, metadata);
      }
      case "directory":
        return;
    }
  }

  #makeDirectory(inner: RawPath, header: TarHeader): void {
    const place = placeOf(this.#writer.rootfs, inner);
    if (this.#writer.rootfs.lstat(inner)?.type === "directory") this.#writer.note(inner);
    else {
      this.#clear(inner, header);
      this.#writer.startDirectory(place);
    }
    this.#directories.delete(inner);
    this.#directories.set(inner, this.#metadata(header));
  }

  /** Removes what is in the way. */
  #clear(inner: RawPath, header: TarHeader): void {
    const existing = this.#writer.rootfs.lstat(inner);
    if (existing === undefined) return;
    if (existing.type === "directory" || existing.type === "symlink") this.#parents.clear();
    if (!this.#writer.rootfs.remove(inner)) throw this.#fault(header, `"${pathText(inner)}" holds a mount`);
  }

  #parent(parts: readonly RawPath[]): RawPath {
    const key = parts.join("/");
    const known = this.#parents.get(key);
    if (known !== undefined) return known;
    const parent = this.#resolve(key as RawPath);
    if (!this.#writer.rootfs.isProtected(parent)) {
      // Not the owner of --chown: BuildKit gives that to what the archive names alone.
      this.#writer.makeDirectories(parent, { uid: 0, gid: 0, mode: PARENT_MODE });
    }
    this.#parents.set(key, parent);
    return parent;
  }

  /** The inner path of `path` below the destination, which is the root for all links on the way. */
  #resolve(path: RawPath): RawPath {
    const below = this.#destination.resolve(`/${path}` as RawPath, true);
    return below === "/" ? this.#request.destination : joinPath(this.#request.destination, below.slice(1) as RawPath);
  }

  #linkTarget(header: TarHeader): RawPath {
    const parts = this.#innerParts(header, header.linkPath);
    const rootfs = this.#writer.rootfs;
    const inner = joinPath(this.#resolve(parts.slice(0, -1).join("/") as RawPath), parts.at(-1) ?? ("" as RawPath));
    const host = rootfs.hostPath(inner);
    const type = rootfs.isProtected(inner) ? undefined : lstat(host)?.type;
    if (type === undefined || type === "directory") {
      throw this.#fault(header, `its link target "${pathText(header.linkPath)}" is ${type ?? "not there"}`);
    }
    return host;
  }

  /** The components below the destination. */
  #innerParts(header: TarHeader, path: RawPath): RawPath[] {
    const parts: RawPath[] = [];
    for (const part of pathComponents(path)) {
      if (part !== "..") parts.push(part);
      else if (parts.pop() === undefined && !path.startsWith("/")) {
        throw this.#fault(header, `"${pathText(path)}" leads out of the destination`);
      }
    }
    return parts;
  }

  #metadata(header: TarHeader): NodeMetadata {
    const { uid, gid } = this.#request.owner ?? header;
    return { uid, gid, mode: header.mode, mtimeNs: header.mtimeNs, xattrs: header.xattrs };
  }

  #fault(header: TarHeader, reason: string): ContextError {
    const reasonText = `entry "${pathText(header.path)}": ${reason}`;
    return new ContextError({ action: "unpack", source: this.#request.archive, reason: reasonText });
  }
}
