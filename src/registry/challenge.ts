/** WWW-Authenticate challenges: what a registry wants to see. Source: RFC 9110 section 11, distribution token spec. */

/** One challenge; the scheme and the names of parameters in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads the challenges of a header. Never throws: text that is no challenge is passed over, a header of more than
 * 8 KiB or 16 challenges is cut. One pass, so no input is slow.
 *
 * @example
 * ```ts
 * import { parseChallenges } from "./challenge.ts";
 * import { equal } from "node:assert/strict";
 * const [first] = parseChallenges('Bearer realm="https://auth.example/token",service="r"');
 * equal(first?.parameters.get("realm"), "https://auth.example/token");
 * ```
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, MAX_HEADER_CHARS);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const cursor: Cursor = { text, at: 0 };
  while (cursor.at < text.length && challenges.length <= MAX_CHALLENGES) {
    const word = readToken(cursor);
    if (word === "") {
      cursor.at++;
      continue;
    }
    skipSpaces(cursor);
    if (text[cursor.at] === "=") {
      cursor.at++;
      const value = readValue(cursor);
      const parameters = challenges.at(-1)?.parameters;
      const name = word.toLowerCase();
      if (parameters !== undefined && !parameters.has(name)) parameters.set(name, value);
    } else {
      challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
    }
  }
  return challenges.slice(0, MAX_CHALLENGES);
}

interface Cursor {
  readonly text: string;
  at: number;
}

function readToken(cursor: Cursor): string {
  const start = cursor.at;
  while (cursor.at < cursor.text.length && isTokenChar(cursor.text.charCodeAt(cursor.at))) cursor.at++;
  return cursor.text.slice(start, cursor.at);
}

function readValue(cursor: Cursor): string {
  skipSpaces(cursor);
  if (cursor.text[cursor.at] !== '"') return readToken(cursor);
  let value = "";
  for (cursor.at++; cursor.at < cursor.text.length; cursor.at++) {
    const char = cursor.text[cursor.at];
    if (char === '"') {
      cursor.at++;
      break;
    }
    if (char === "\\") cursor.at++;
    value += cursor.text[cursor.at] ?? "";
  }
  return value;
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.text[cursor.at] === " " || cursor.text[cursor.at] === "\t") cursor.at++;
}

/** RFC 9110's token characters, and those of unquoted URLs that sloppy servers send as values. */
function isTokenChar(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x2c && code !== 0x3d && code !== 0x5c;
}

const MAX_HEADER_CHARS = 8192;
const MAX_CHALLENGES = 16;
