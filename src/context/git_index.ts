/**
 * The index of a checkout that keeps its `.git`, so that git finds nothing changed. Pure but for the digest. Source:
 * gitformat-index(5), version 2.
 */
import type { RawPath } from "../sys/raw_path.ts";
import type { CheckedOutEntry } from "./git_checkout.ts";

const MODES: Readonly<Record<CheckedOutEntry["kind"], number>> = {
  file: 0o100644,
  program: 0o100755,
  symlink: 0o120000,
  commit: 0o160000,
};
const HEADER_BYTES = 12;
const FIXED_BYTES = 62;
const MODE_AT = 24;
const ID_AT = 40;
const FLAGS_AT = 60;
const ALIGNMENT = 8;
const MAX_NAME_LENGTH = 0xfff;

/** The bytes of an index that holds `entries`. Times and sizes are zero: git looks at the files once and fills them in. */
export async function gitIndex(entries: readonly CheckedOutEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const sorted = entries.toSorted((a, b) => a.path < b.path ? -1 : 1);
  const parts = [header(sorted.length), ...sorted.map(entryBytes)];
  const body = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", body));
  const whole = new Uint8Array(body.length + digest.length);
  whole.set(body);
  whole.set(digest, body.length);
  return whole;
}

function header(count: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(new TextEncoder().encode("DIRC"));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, 2);
  view.setUint32(8, count);
  return bytes;
}

function entryBytes({ path, kind, id }: CheckedOutEntry): Uint8Array {
  const name = pathBytes(path);
  const unpadded = FIXED_BYTES + name.length;
  const bytes = new Uint8Array(unpadded + ALIGNMENT - unpadded % ALIGNMENT);
  const view = new DataView(bytes.buffer);
  view.setUint32(MODE_AT, MODES[kind]);
  for (let i = 0; i < id.length; i += 2) bytes[ID_AT + i / 2] = Number.parseInt(id.slice(i, i + 2), 16);
  view.setUint16(FLAGS_AT, Math.min(name.length, MAX_NAME_LENGTH));
  bytes.set(name, FIXED_BYTES);
  return bytes;
}

function pathBytes(path: RawPath): Uint8Array {
  return Uint8Array.from(path, (char) => char.charCodeAt(0));
}
