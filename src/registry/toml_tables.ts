/**
 * The part of TOML that containers-registries.conf is written in: tables, arrays of tables, and keys with strings,
 * booleans, whole numbers and arrays of strings. Everything else of TOML is an error with its line.
 */
import { FormatError } from "../errors.ts";

/** A value of a key. */
export type TomlValue = string | boolean | number | readonly string[];

/** One `[name]` or `[[name]]` and the keys under it; the keys before the first header have the name "". */
export interface TomlTable {
  readonly name: string;
  readonly line: number;
  readonly values: ReadonlyMap<string, TomlValue>;
}

/** The tables of `text` in their order. Throws FormatError that names `origin` and the line. */
export function parseTomlTables(text: string, origin: string): readonly TomlTable[] {
  const cursor: Cursor = { text: text.replaceAll("\r\n", "\n"), at: 0, origin };
  let values = new Map<string, TomlValue>();
  const tables: TomlTable[] = [{ name: "", line: 1, values }];
  while (skipBlank(cursor)) {
    if (peek(cursor) === "[") {
      values = new Map();
      const line = lineOf(cursor);
      tables.push({ name: readHeader(cursor), line, values });
    } else {
      const key = readKey(cursor);
      if (values.has(key)) fail(cursor, `"${key}" is there twice`);
      skipSpaces(cursor);
      take(cursor, "=");
      skipSpaces(cursor);
      values.set(key, readValue(cursor));
    }
    endLine(cursor);
  }
  return tables;
}

interface Cursor {
  readonly text: string;
  readonly origin: string;
  at: number;
}

function readHeader(cursor: Cursor): string {
  take(cursor, "[");
  const isArray = peek(cursor) === "[";
  if (isArray) cursor.at++;
  skipSpaces(cursor);
  let name = readKey(cursor);
  skipSpaces(cursor);
  while (peek(cursor) === ".") {
    cursor.at++;
    skipSpaces(cursor);
    name += `.${readKey(cursor)}`;
    skipSpaces(cursor);
  }
  take(cursor, "]");
  if (isArray) take(cursor, "]");
  return name;
}

function readKey(cursor: Cursor): string {
  const quote = peek(cursor);
  if (quote === '"' || quote === "'") return readString(cursor);
  const key = /^[A-Za-z0-9_-]+/.exec(cursor.text.slice(cursor.at, cursor.at + MAX_KEY_CHARS))?.[0];
  if (key === undefined) return fail(cursor, "a key or a [table] is expected");
  cursor.at += key.length;
  return key;
}

function readValue(cursor: Cursor): TomlValue {
  const first = peek(cursor);
  if (first === '"' || first === "'") return readString(cursor);
  if (first === "[") return readArray(cursor);
  const word = /^[A-Za-z0-9_+.:-]*/.exec(cursor.text.slice(cursor.at, cursor.at + MAX_KEY_CHARS))?.[0] ?? "";
  cursor.at += word.length;
  if (word === "true" || word === "false") return word === "true";
  if (/^-?\d{1,15}$/.test(word)) return Number(word);
  return fail(cursor, "only strings, true, false, whole numbers and arrays of strings are understood");
}

function readArray(cursor: Cursor): readonly string[] {
  take(cursor, "[");
  const items: string[] = [];
  for (;;) {
    if (!skipBlank(cursor)) return fail(cursor, "an array is not closed");
    if (peek(cursor) === "]") break;
    if (peek(cursor) !== '"' && peek(cursor) !== "'") return fail(cursor, "only arrays of strings are understood");
    items.push(readString(cursor));
    if (!skipBlank(cursor)) return fail(cursor, "an array is not closed");
    if (peek(cursor) === ",") cursor.at++;
    else if (peek(cursor) !== "]") return fail(cursor, 'an array\'s strings are separated by ","');
  }
  cursor.at++;
  return items;
}

function readString(cursor: Cursor): string {
  const quote = peek(cursor);
  if (cursor.text.startsWith(quote.repeat(3), cursor.at)) fail(cursor, "strings over several lines are not understood");
  let value = "";
  for (cursor.at++; peek(cursor) !== quote; cursor.at++) {
    const char = peek(cursor);
    if (char === "" || char === "\n") return fail(cursor, "a string is not closed");
    if (char !== "\\" || quote === "'") value += char;
    else {
      cursor.at++;
      const escaped = ESCAPES[peek(cursor)];
      if (escaped === undefined) return fail(cursor, `"\\${peek(cursor)}" is not understood`);
      value += escaped;
    }
  }
  cursor.at++;
  return value;
}

/** Skips spaces, line ends and comments; whether anything is left. */
function skipBlank(cursor: Cursor): boolean {
  for (;;) {
    const char = peek(cursor);
    if (char === "#") skipComment(cursor);
    else if (char !== "" && " \t\n".includes(char)) cursor.at++;
    else return char !== "";
  }
}

function endLine(cursor: Cursor): void {
  skipSpaces(cursor);
  if (peek(cursor) === "#") skipComment(cursor);
  if (peek(cursor) !== "" && peek(cursor) !== "\n") fail(cursor, "the line goes on where it should end");
}

function skipComment(cursor: Cursor): void {
  const end = cursor.text.indexOf("\n", cursor.at);
  cursor.at = end < 0 ? cursor.text.length : end;
}

function skipSpaces(cursor: Cursor): void {
  while (peek(cursor) === " " || peek(cursor) === "\t") cursor.at++;
}

function peek(cursor: Cursor): string {
  return cursor.text[cursor.at] ?? "";
}

function take(cursor: Cursor, expected: string): void {
  if (peek(cursor) !== expected) fail(cursor, `"${expected}" is expected`);
  cursor.at++;
}

function lineOf(cursor: Cursor): number {
  return cursor.text.slice(0, cursor.at).split("\n").length;
}

function fail(cursor: Cursor, reason: string): never {
  throw new FormatError(`Cannot read ${cursor.origin}, line ${lineOf(cursor)}: ${reason}`);
}

const MAX_KEY_CHARS = 256;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", n: "\n", t: "\t", r: "\r" };
