/**
 * Paths are bytes: a RawPath is a string whose char codes are the path's bytes (latin1), so that a name that is not
 * UTF-8 passes through unchanged. Decoded only for display.
 */

declare const rawPathBrand: unique symbol;

/** A path or a name as bytes, one char code (0-255) a byte. Made by this file's functions and by directory reading. */
export type RawPath = string & { readonly [rawPathBrand]: true };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The bytes of a JavaScript string, in UTF-8, as a RawPath.
 *
 * @example
 * ```ts
 * import { rawPath, pathText } from "./raw_path.ts";
 * import { equal } from "node:assert/strict";
 * equal(rawPath("/é").length, 3);
 * equal(pathText(rawPath("/é")), "/é");
 * ```
 */
export function rawPath(text: string): RawPath {
  // deno-lint-ignore no-control-regex -- the class is exactly "all ASCII"
  if (/^[\x00-\x7f]*$/.test(text)) return text as RawPath;
  return rawPathFromBytes(encoder.encode(text));
}

/** The RawPath of `bytes`. */
export function rawPathFromBytes(bytes: Uint8Array): RawPath {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text as RawPath;
}

/** The bytes of `path`, without a terminator. */
export function rawPathBytes(path: RawPath): Uint8Array {
  const bytes = new Uint8Array(path.length);
  for (let i = 0; i < path.length; i++) bytes[i] = path.charCodeAt(i);
  return bytes;
}

/** `path` for people: decoded as UTF-8, bytes that are not UTF-8 as U+FFFD. */
export function pathText(path: RawPath): string {
  return decoder.decode(rawPathBytes(path));
}

/** `parent` and `name` with one slash between. An empty parent gives `name`, so that relative paths stay relative. */
export function joinPath(parent: RawPath, name: RawPath): RawPath {
  if (parent === "") return name;
  return (parent.endsWith("/") ? parent + name : `${parent}/${name}`) as RawPath;
}

/** Everything before the last slash: "/" for "/a", "" for "a". */
export function parentPath(path: RawPath): RawPath {
  const slash = path.lastIndexOf("/");
  return (slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : "") as RawPath;
}

/** Everything after the last slash. */
export function baseName(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf("/") + 1) as RawPath;
}

/** The components of `path`, without empty ones and "."; ".." is kept. */
export function pathComponents(path: RawPath): RawPath[] {
  return path.split("/").filter((part) => part !== "" && part !== ".") as RawPath[];
}

/**
 * `path` as an absolute, clean path: no ".", no "..", no double or trailing slash; ".." at the root stays at the root.
 *
 * @example
 * ```ts
 * import { cleanPath, rawPath } from "./raw_path.ts";
 * import { equal } from "node:assert/strict";
 * equal(cleanPath(rawPath("a/./b//../c/")), "/a/c");
 * equal(cleanPath(rawPath("../..")), "/");
 * ```
 */
export function cleanPath(path: RawPath): RawPath {
  const clean: RawPath[] = [];
  for (const part of pathComponents(path)) {
    if (part === "..") clean.pop();
    else clean.push(part);
  }
  return `/${clean.join("/")}` as RawPath;
}

/** Whether `path` is `ancestor` or lies below it. Both clean and of the same kind, absolute or relative. */
export function isWithin(path: RawPath, ancestor: RawPath): boolean {
  if (ancestor === "/" || ancestor === "") return true;
  return path === ancestor ||
    (path.length > ancestor.length && path.startsWith(ancestor) && path[ancestor.length] === "/");
}

/**
 * Order of a directory walk: parents before children, siblings by their bytes. Not the order of the strings:
 * "a/b" comes before "a.b", as "a" is walked whole before "a.b".
 */
export function comparePaths(a: RawPath, b: RawPath): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x === SLASH) return -1;
    if (y === SLASH) return 1;
    return x - y;
  }
  return a.length - b.length;
}

const SLASH = 0x2f;
