/** Reads archives into values, for comparing. */
import { fail } from "node:assert/strict";
import type { TarHeader } from "../../src/tar/header.ts";
import { type TarLimits, TarParser } from "../../src/tar/read.ts";

export interface ReadMember {
  readonly header: TarHeader;
  readonly body: Uint8Array;
}

/** Parses `archive`, cut into pieces of the sizes that `pieces` names, in turns. */
export function readMembers(
  archive: Uint8Array,
  pieces: readonly number[] = [1 << 20],
  limits?: TarLimits,
  onEntry?: (header: TarHeader) => void,
): ReadMember[] {
  const members: ReadMember[] = [];
  let header: TarHeader | undefined;
  let parts: Uint8Array[] = [];
  const parser = new TarParser({
    entry(next): void {
      if (header !== undefined) fail("entry before end");
      onEntry?.(next);
      header = next;
      parts = [];
    },
    body(chunk): void {
      if (header === undefined || chunk.length === 0) fail("body outside of a member, or empty");
      parts.push(chunk.slice());
    },
    end(): void {
      if (header === undefined) fail("end without entry");
      members.push({ header, body: concat(parts) });
      header = undefined;
    },
  }, limits);
  for (let at = 0, turn = 0; at < archive.length; turn++) {
    const size = pieces[turn % pieces.length] ?? 1;
    parser.push(archive.subarray(at, at + size));
    at += size;
  }
  parser.finish();
  return members;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return concat(await Array.fromAsync(stream));
}
