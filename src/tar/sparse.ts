/**
 * Sparse files: the archive holds only the parts with data, and a map that says where they belong. Three ways of writing
 * the map are read (old GNU, PAX 0.0/0.1, PAX 1.0); none is written. Source: GNU tar manual, storing sparse files.
 */
import { TarFault } from "./_fault.ts";
import { readNumber } from "./number_field.ts";
import { latin1Text, type PaxRecord } from "./pax.ts";

/** A part with data: where it starts in the file and how long it is, in bytes. */
export interface SparsePart {
  readonly offset: number;
  readonly length: number;
}

/** Receives an expanded file in order. */
export interface SparseSink {
  data(chunk: Uint8Array): void;
  hole(sizeBytes: number): void;
}

/** What PAX records say about a sparse file. `parts` is undefined for version 1.0, whose map starts the body. */
export interface PaxSparse {
  readonly sizeBytes: number;
  readonly parts: readonly SparsePart[] | undefined;
  /** The file's real name, where the header carries a made-up one. */
  readonly path: string | undefined;
}

/** Most parts that a map may have. */
export const MAX_SPARSE_PARTS = 1 << 20;
const MAX_MAP_LINE_BYTES = 20;

/** Reads GNU.sparse.* records; undefined when the member is not sparse. Throws FormatError. */
export function readPaxSparse(records: readonly PaxRecord[]): PaxSparse | undefined {
  const values = new Map<string, string>();
  const numbers: number[] = [];
  for (const [keyword, bytes] of records) {
    if (!keyword.startsWith("GNU.sparse.")) continue;
    const name = keyword.slice("GNU.sparse.".length);
    const value = latin1Text(bytes, 0, bytes.length);
    if (name === "offset" || name === "numbytes") numbers.push(decimal(value));
    else values.set(name, value);
  }
  if (values.size === 0 && numbers.length === 0) return undefined;
  const sizeBytes = decimal(values.get("realsize") ?? values.get("size") ?? "");
  const path = values.get("name");
  const major = values.get("major") ?? "0";
  if (major === "1") return { sizeBytes, parts: undefined, path };
  if (major !== "0") throw new TarFault(`sparse format version ${major} is not supported`);
  const map = values.get("map");
  const flat = map === undefined ? numbers : map === "" ? [] : map.split(",").map(decimal);
  return { sizeBytes, parts: pairParts(flat), path };
}

/**
 * The parts in an old GNU header (`at` 386, four of them) or extension block (`at` 0, twenty-one). Throws FormatError.
 */
export function readGnuParts(block: Uint8Array, at: number, count: number): SparsePart[] {
  const parts: SparsePart[] = [];
  for (let i = at; i < at + count * 24; i += 24) {
    if (block[i] === 0 && block[i + 12] === 0) break;
    const offset = readNumber(block, i, 12);
    const length = readNumber(block, i + 12, 12);
    if (!(offset >= 0) || !(length >= 0)) throw new TarFault("its sparse map is malformed");
    parts.push({ offset, length });
  }
  return parts;
}

/**
 * Checks that `parts` are in order, apart, inside the file and add up to the bytes that are stored.
 * `storedBytes` is undefined when it is not known. Throws FormatError.
 */
export function checkSparseParts(parts: readonly SparsePart[], sizeBytes: number, storedBytes?: number): void {
  let end = 0;
  let sum = 0;
  for (const part of parts) {
    if (part.offset < end || part.offset + part.length > sizeBytes) throw new TarFault("its sparse map is malformed");
    end = part.offset + part.length;
    sum += part.length;
  }
  if (storedBytes !== undefined && sum !== storedBytes) {
    throw new TarFault(`its sparse map names ${sum} bytes, but ${storedBytes} are stored`);
  }
}

/** Turns the stored bytes of a sparse file into the whole file. Push what is stored, in order, then call `finish`. */
export class SparseExpander {
  readonly #sizeBytes: number;
  readonly #sink: SparseSink;
  #map: SparseMapText | undefined;
  #parts: readonly SparsePart[];
  #part = 0;
  #partBytes = 0;
  #position = 0;

  /** `parts` undefined means that the stored bytes begin with the map, as in PAX 1.0. */
  constructor(parts: readonly SparsePart[] | undefined, sizeBytes: number, sink: SparseSink) {
    this.#parts = parts ?? [];
    this.#map = parts === undefined ? new SparseMapText() : undefined;
    this.#sizeBytes = sizeBytes;
    this.#sink = sink;
  }

  /** Takes stored bytes. Throws FormatError when the map in them is broken or there are more than it names. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    if (this.#map !== undefined) {
      rest = this.#map.push(rest);
      if (this.#map.parts === undefined) return;
      this.#parts = this.#map.parts;
      this.#map = undefined;
      checkSparseParts(this.#parts, this.#sizeBytes);
    }
    while (rest.length > 0) rest = this.#take(rest);
  }

  /** Emits the hole at the end. Throws FormatError when bytes are missing. */
  finish(): void {
    while (this.#parts[this.#part]?.length === 0) this.#part++;
    if (this.#map !== undefined || this.#part < this.#parts.length) throw new TarFault("its sparse data is incomplete");
    this.#skipTo(this.#sizeBytes);
  }

  #take(bytes: Uint8Array): Uint8Array {
    const part = this.#parts[this.#part];
    if (part === undefined) throw new TarFault("it stores more bytes than its sparse map names");
    this.#skipTo(part.offset + this.#partBytes);
    const taken = Math.min(bytes.length, part.length - this.#partBytes);
    if (taken > 0) this.#sink.data(bytes.subarray(0, taken));
    this.#position += taken;
    this.#partBytes += taken;
    if (this.#partBytes === part.length) {
      this.#part++;
      this.#partBytes = 0;
    }
    return bytes.subarray(taken);
  }

  #skipTo(position: number): void {
    if (position > this.#position) this.#sink.hole(position - this.#position);
    this.#position = Math.max(position, this.#position);
  }
}

/** The map in front of a PAX 1.0 body: a count, then offset and length in turns, one decimal a line, padded to 512. */
class SparseMapText {
  #line = "";
  #numbers: number[] = [];
  #seenBytes = 0;
  #paddingBytes = -1;
  /** The map, once it has been read with its padding. */
  parts: readonly SparsePart[] | undefined;

  /** Takes bytes and gives back those behind the map. */
  push(chunk: Uint8Array): Uint8Array {
    let at = 0;
    while (at < chunk.length && this.#paddingBytes < 0) this.#takeByte(chunk[at++] ?? 0);
    if (this.#paddingBytes < 0) return chunk.subarray(at);
    const skipped = Math.min(this.#paddingBytes, chunk.length - at);
    this.#paddingBytes -= skipped;
    if (this.#paddingBytes === 0) this.parts = pairParts(this.#numbers.slice(1));
    return chunk.subarray(at + skipped);
  }

  #takeByte(byte: number): void {
    this.#seenBytes++;
    if (byte !== 0x0a) {
      this.#line += String.fromCharCode(byte);
      if (this.#line.length > MAX_MAP_LINE_BYTES) throw new TarFault("its sparse map is malformed");
      return;
    }
    this.#numbers.push(decimal(this.#line));
    this.#line = "";
    const count = this.#numbers[0] ?? 0;
    if (count > MAX_SPARSE_PARTS) throw new TarFault(`its sparse map has more than ${MAX_SPARSE_PARTS} parts`);
    if (this.#numbers.length === 1 + 2 * count) this.#paddingBytes = (512 - this.#seenBytes % 512) % 512;
  }
}

function pairParts(numbers: readonly number[]): SparsePart[] {
  if (numbers.length % 2 !== 0) throw new TarFault("its sparse map is malformed");
  const parts: SparsePart[] = [];
  for (let i = 0; i < numbers.length; i += 2) parts.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  return parts;
}

function decimal(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new TarFault(`its sparse map has "${text}" for a number`);
  return value;
}
