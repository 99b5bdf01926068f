/** JSON documents from outside: bounded, strictly UTF-8, validated once, and written again in one stable order. */
import type * as z from "zod/mini";
import { FormatError } from "../errors.ts";

/** What a document is called in messages, and how many bytes of it are read at most. */
export interface DocumentKind {
  readonly name: string;
  readonly maxBytes: number;
}

/**
 * Decodes `bytes` as JSON. Members that are null are dropped, since writers in Go put null where a list or map is
 * absent. Throws FormatError when the document is too large, not UTF-8 or not JSON.
 */
export function decodeJson(bytes: Uint8Array, kind: DocumentKind): unknown {
  if (bytes.length > kind.maxBytes) {
    throw new FormatError(`Cannot read ${kind.name}: ${bytes.length} bytes, more than the limit of ${kind.maxBytes}`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text, (_key, member) => member === null ? undefined : member);
    return value;
  } catch (error: unknown) {
    throw new FormatError(`Cannot read ${kind.name}: it is not JSON`, { cause: error });
  }
}

/** `value` as `schema` types it. Throws FormatError that names the first member that does not fit. */
export function checkDocument<T>(schema: z.ZodMiniType<T>, value: unknown, kind: DocumentKind): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String).join(".") ?? "";
  const where = path === "" ? "the document" : `"${path.slice(0, MAX_PATH_CHARS)}"`;
  const expected = issue?.code === "invalid_type" ? ` (expected ${issue.expected})` : "";
  throw new FormatError(`Cannot read ${kind.name}: ${where} is missing or not valid${expected}`);
}

/** The members of `map` sorted by name, so that equal maps give equal bytes. */
export function sortedMap<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
}

/** Compact JSON in UTF-8. The order of members is that of `value`; members that are undefined are left out. */
export function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** `list` unless it is empty or absent: Go's "omitempty". */
export function nonEmptyList<T>(list: readonly T[] | null | undefined): readonly T[] | undefined {
  return list === null || list === undefined || list.length === 0 ? undefined : list;
}

/** `map`, sorted, unless it is empty or absent. */
export function nonEmptyMap<T>(
  map: Readonly<Record<string, T>> | null | undefined,
): Readonly<Record<string, T>> | undefined {
  return map === null || map === undefined || Object.keys(map).length === 0 ? undefined : sortedMap(map);
}

const MAX_PATH_CHARS = 200;
