/**
 * Reads a tar: bytes are pushed in, members come out at a visitor, without a copy. What paths mean (absolute, "..") is
 * the visitor's to judge. Every failure names the member and its offset.
 */
import { FormatError } from "../errors.ts";
import { pathText, type RawPath } from "../sys/raw_path.ts";
import { ExtensionCollector, isExtensionFlag } from "./_extension.ts";
import { TarFault } from "./_fault.ts";
import { BLOCK_BYTES, type TarHeader } from "./header.ts";
import { isChecksumRight, isZeroBlock, type Member, readMember, storedSize, typeFlag } from "./parse_header.ts";
import { checkSparseParts, MAX_SPARSE_PARTS, readGnuParts, SparseExpander, type SparsePart } from "./sparse.ts";

/** Receives the members of a tar: `entry`, then its body in pieces, then `end`. What it throws ends the reading. */
export interface TarVisitor {
  entry(header: TarHeader): void;
  /** A piece of the body; never empty. It is a view that is valid only during the call. */
  body(chunk: Uint8Array): void;
  end(): void;
  /** A hole of a sparse file. When absent, `body` gets its zeros. */
  hole?(sizeBytes: number): void;
}

/** Bounds against hostile archives. */
export interface TarLimits {
  /** Most bytes of extension headers before one member; 1 MiB unless given. */
  readonly maxExtensionBytes?: number;
  /** Largest sparse file, holes filled; 1 TiB unless given. */
  readonly maxSparseBytes?: number;
}

type State = "block" | "gnu-map" | "extension" | "skipped" | "body" | "padding" | "ended";

const DEFAULT_MAX_EXTENSION_BYTES = 1 << 20;
const DEFAULT_MAX_SPARSE_BYTES = 2 ** 40;
const ZERO_CHUNK_BYTES = 64 * 1024;

/**
 * A push parser: give it the archive's bytes in pieces of any size, then call `finish`. Throws FormatError for a broken
 * or truncated archive, and what the visitor throws; after that it is of no use. Bytes behind the end mark are ignored.
 */
export class TarParser {
  readonly #visitor: TarVisitor;
  readonly #extensions: ExtensionCollector;
  readonly #maxSparseBytes: number;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #blockFill = 0;
  #state: State = "block";
  /** Archive offset of the next byte, and of the block that is being read. */
  #offset = 0;
  #blockOffset = 0;
  #remaining = 0;
  #padding = 0;
  #zeroBlocks = 0;
  #path: RawPath | undefined;
  #member: Member | undefined;
  #expander: SparseExpander | undefined;
  #gnuParts: SparsePart[] = [];
  #zeros: Uint8Array | undefined;

  constructor(visitor: TarVisitor, limits: TarLimits = {}) {
    this.#visitor = visitor;
    this.#extensions = new ExtensionCollector(limits.maxExtensionBytes ?? DEFAULT_MAX_EXTENSION_BYTES);
    this.#maxSparseBytes = limits.maxSparseBytes ?? DEFAULT_MAX_SPARSE_BYTES;
  }

  /** Takes the next bytes of the archive. */
  push(chunk: Uint8Array): void {
    try {
      for (let at = 0; at < chunk.length;) {
        const taken = this.#take(chunk, at);
        this.#offset += taken;
        at += taken;
      }
    } catch (error: unknown) {
      throw error instanceof TarFault ? this.#located(error) : error;
    }
  }

  /** Says that there are no more bytes. An archive may lack its end mark, but no part of a member. */
  finish(): void {
    const isBetween = this.#state === "ended" || this.#state === "padding" ||
      (this.#state === "block" && this.#blockFill === 0);
    if (!isBetween || this.#extensions.isPending) throw this.#located(new TarFault("the archive is truncated"));
  }

  #take(chunk: Uint8Array, at: number): number {
    switch (this.#state) {
      case "block":
      case "gnu-map":
        return this.#takeBlock(chunk, at);
      case "body":
        return this.#takeBody(chunk, at);
      case "extension":
        return this.#takeExtension(chunk, at);
      case "skipped":
      case "padding":
        return this.#takeSkipped(chunk, at);
      case "ended":
        return chunk.length - at;
    }
  }

  #takeBlock(chunk: Uint8Array, at: number): number {
    if (this.#blockFill === 0) {
      this.#blockOffset = this.#offset;
      if (chunk.length - at >= BLOCK_BYTES) {
        this.#readBlock(chunk, at);
        return BLOCK_BYTES;
      }
    }
    const taken = Math.min(BLOCK_BYTES - this.#blockFill, chunk.length - at);
    this.#block.set(chunk.subarray(at, at + taken), this.#blockFill);
    this.#blockFill += taken;
    if (this.#blockFill === BLOCK_BYTES) {
      this.#blockFill = 0;
      this.#readBlock(this.#block, 0);
    }
    return taken;
  }

  #readBlock(bytes: Uint8Array, at: number): void {
    if (this.#state === "gnu-map") return this.#readGnuMap(bytes, at);
    this.#path = undefined;
    if (bytes[at] === 0 && isZeroBlock(bytes, at)) return this.#readZeroBlock();
    if (this.#zeroBlocks > 0) throw new TarFault("a block of zeros stands between members");
    if (!isChecksumRight(bytes, at)) {
      throw new TarFault(this.#blockOffset === 0 ? "this is not a tar archive" : "the header's checksum is wrong");
    }
    const flag = typeFlag(bytes, at);
    if (isExtensionFlag(flag)) return this.#startExtension(flag, storedSize(bytes, at));
    if (flag === "g") return this.#startSkipped(storedSize(bytes, at));
    this.#startMember(readMember(bytes, at, this.#extensions.take()));
  }

  #readZeroBlock(): void {
    if (this.#extensions.isPending) throw new TarFault("an extended header stands before no member");
    this.#zeroBlocks++;
    if (this.#zeroBlocks === 2) this.#state = "ended";
  }

  #startExtension(flag: string, size: number): void {
    this.#extensions.start(flag, size);
    this.#remaining = size;
    this.#padding = paddingOf(size);
    this.#state = "extension";
    if (size === 0) this.#endExtension();
  }

  #takeExtension(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#remaining, chunk.length - at);
    this.#extensions.push(chunk.subarray(at, at + taken));
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#endExtension();
    return taken;
  }

  #endExtension(): void {
    this.#extensions.finish();
    this.#skip("padding", this.#padding);
  }

  #startSkipped(size: number): void {
    this.#skip("skipped", size + paddingOf(size));
  }

  #startMember(member: Member): void {
    this.#path = member.header.path;
    this.#member = member;
    if (member.sparse === undefined) return this.#startBody(member, undefined);
    if (member.header.size > this.#maxSparseBytes) {
      throw new TarFault(`a sparse file of ${member.header.size} bytes is larger than ${this.#maxSparseBytes}`);
    }
    this.#gnuParts = [];
    if (!member.sparse.hasMoreBlocks) return this.#startBody(member, this.#sparseBody(member, member.sparse.parts));
    for (const part of member.sparse.parts ?? []) this.#gnuParts.push(part);
    this.#state = "gnu-map";
  }

  #readGnuMap(bytes: Uint8Array, at: number): void {
    for (const part of readGnuParts(bytes, at, 21)) this.#gnuParts.push(part);
    if (this.#gnuParts.length > MAX_SPARSE_PARTS) throw new TarFault("its sparse map is too long");
    const member = this.#member;
    if (bytes[at + 504] === 1 || member === undefined) return;
    this.#startBody(member, this.#sparseBody(member, this.#gnuParts));
  }

  #sparseBody(member: Member, parts: readonly SparsePart[] | undefined): SparseExpander {
    if (parts !== undefined) checkSparseParts(parts, member.header.size, member.storedBytes);
    const hole = (sizeBytes: number): void => this.#emitHole(sizeBytes);
    const data = (chunk: Uint8Array): void => this.#visitor.body(chunk);
    return new SparseExpander(parts, member.header.size, { data, hole });
  }

  #startBody(member: Member, expander: SparseExpander | undefined): void {
    this.#expander = expander;
    this.#remaining = member.storedBytes;
    this.#padding = paddingOf(member.storedBytes);
    this.#state = "body";
    this.#visitor.entry(member.header);
    if (this.#remaining === 0) this.#endBody();
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#remaining, chunk.length - at);
    const view = taken === chunk.length ? chunk : chunk.subarray(at, at + taken);
    if (this.#expander === undefined) this.#visitor.body(view);
    else this.#expander.push(view);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#endBody();
    return taken;
  }

  #endBody(): void {
    this.#expander?.finish();
    this.#expander = undefined;
    this.#visitor.end();
    this.#skip("padding", this.#padding);
  }

  #emitHole(sizeBytes: number): void {
    if (this.#visitor.hole !== undefined) return this.#visitor.hole(sizeBytes);
    const zeros = this.#zeros ??= new Uint8Array(ZERO_CHUNK_BYTES);
    for (let rest = sizeBytes; rest > 0; rest -= zeros.length) this.#visitor.body(zeros.subarray(0, rest));
  }

  #skip(state: "skipped" | "padding", sizeBytes: number): void {
    this.#remaining = sizeBytes;
    this.#state = sizeBytes === 0 ? "block" : state;
  }

  #takeSkipped(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#remaining, chunk.length - at);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#state = "block";
    return taken;
  }

  #located(fault: TarFault): FormatError {
    const path = fault.path ?? this.#path;
    const subject = path === undefined ? "tar" : `tar entry "${pathText(path)}"`;
    return new FormatError(`Cannot read ${subject} at offset ${this.#blockOffset}: ${fault.message}`);
  }
}

/**
 * Reads a whole stream into `visitor`, to the stream's end so that a verifying stream gets to verify. Throws what the
 * parser and the visitor throw, and `signal`'s reason; the stream is cancelled then.
 */
export async function readTar(
  stream: ReadableStream<Uint8Array>,
  visitor: TarVisitor,
  signal?: AbortSignal,
): Promise<void> {
  const parser = new TarParser(visitor);
  const reader = stream.getReader();
  const abort = (): void => void reader.cancel(signal?.reason).catch(ignoreSecondFailure);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    while (true) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      parser.push(value);
    }
    signal?.throwIfAborted();
    parser.finish();
  } catch (error: unknown) {
    await reader.cancel(error).catch(ignoreSecondFailure);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    reader.releaseLock();
  }
}

/** A stream that fails to be cancelled has failed already, and the first failure is the one to report. */
function ignoreSecondFailure(): void {}

function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - sizeBytes % BLOCK_BYTES) % BLOCK_BYTES;
}
