/**
 * Files in another language than ours that name their frontend in BuildKit's other ways: `// syntax=image` at the top, or
 * a JSON object with a member "syntax". Source: Dockerfile reference, syntax directive; BuildKit's detection.
 */
import type { Directive } from "./directives.ts";
import type { PhysicalLine } from "./physical_lines.ts";
import { trimSpace, trimStart } from "./words.ts";

const SLASHED_DIRECTIVE = /^\/\/[\t\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\f\r ]*=([^]*)$/;
/** No file that is one JSON object is worth reading beyond this. */
const MAX_JSON_CHARACTERS = 1 << 20;

/** Finds such a directive; `lines` are those after a leading `#!` line, `first` is the number of their first. */
export function detectForeignSyntax(lines: readonly PhysicalLine[], first: number): Directive | undefined {
  return detectSlashed(lines, first) ?? detectJson(lines, first);
}

function detectSlashed(lines: readonly PhysicalLine[], first: number): Directive | undefined {
  for (const [index, { text }] of lines.entries()) {
    const match = SLASHED_DIRECTIVE.exec(trimStart(text));
    if (match === null) return undefined;
    const value = trimSpace(match[2] ?? "");
    const line = first + index;
    if (match[1]?.toLowerCase() === "syntax" && value !== "") {
      return { key: "syntax", value, range: { startLine: line, endLine: line } };
    }
  }
  return undefined;
}

function detectJson(lines: readonly PhysicalLine[], first: number): Directive | undefined {
  const start = lines.findIndex(({ text }) => trimSpace(text) !== "");
  if (start < 0 || !trimStart(lines[start]?.text ?? "").startsWith("{")) return undefined;
  const text = lines.map((line) => line.text).join("\n");
  if (text.length > MAX_JSON_CHARACTERS) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // it only looks like JSON: the parser says what is wrong with it
  }
  if (typeof parsed !== "object" || parsed === null || !("syntax" in parsed)) return undefined;
  const { syntax } = parsed;
  if (typeof syntax !== "string" || trimSpace(syntax) === "") return undefined;
  const inFile = lines.findIndex((line) => line.text.includes('"syntax"'));
  const line = first + Math.max(inFile, start);
  return { key: "syntax", value: trimSpace(syntax), range: { startLine: line, endLine: line } };
}
