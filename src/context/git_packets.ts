/**
 * The packets of git's wire protocol: four hex digits of length, then that many bytes; length 0 ends a section. Source:
 * gitprotocol-common(5), pkt-line format; gitprotocol-pack(5), side-band.
 */
import { FormatError } from "../errors.ts";

/** One packet; `flush` is the one of length 0. */
export type GitPacket = { readonly kind: "line"; readonly bytes: Uint8Array } | { readonly kind: "flush" };

/** The packet that ends a section. */
export const FLUSH_PACKET = "0000";

const LENGTH_BYTES = 4;
const MAX_PACKET_BYTES = 65520;

/**
 * A line as a packet.
 *
 * @example
 * ```ts
 * import { packetLine } from "./git_packets.ts";
 * import { equal } from "node:assert/strict";
 * equal(packetLine("done\n"), "0009done\n");
 * ```
 */
export function packetLine(line: string): string {
  const length = new TextEncoder().encode(line).length + LENGTH_BYTES;
  return length.toString(16).padStart(LENGTH_BYTES, "0") + line;
}

/** Reads packets, and what follows them, from a stream that it owns. */
export class GitPacketReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next packet; undefined at the end of the stream. Throws FormatError for what is no packet. */
  async read(): Promise<GitPacket | undefined> {
    const head = await this.#take(LENGTH_BYTES, true);
    if (head === undefined) return undefined;
    const digits = String.fromCharCode(...head);
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
    if (length === 0) return { kind: "flush" };
    if (length < LENGTH_BYTES || length > MAX_PACKET_BYTES) {
      throw new FormatError(`Cannot read the server's answer: "${printable(digits)}" is no packet of git's protocol`);
    }
    const bytes = await this.#take(length - LENGTH_BYTES, false);
    return { kind: "line", bytes: bytes ?? new Uint8Array() };
  }

  /** The next packet as text without its line feed; undefined for a flush and at the end. */
  async readLine(): Promise<string | undefined> {
    const packet = await this.read();
    if (packet === undefined || packet.kind === "flush") return undefined;
    return new TextDecoder().decode(packet.bytes).replace(/\n$/, "");
  }

  /** Gives the stream up. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {}); // A stream that broke has nothing to give up.
  }

  async #take(count: number, mayEnd: boolean): Promise<Uint8Array | undefined> {
    while (this.#buffer.length < count) {
      const { done, value } = await this.#reader.read();
      if (done) {
        if (mayEnd && this.#buffer.length === 0) return undefined;
        throw new FormatError("Cannot read the server's answer: it ends in the middle of a packet");
      }
      this.#buffer = joined(this.#buffer, value);
    }
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
