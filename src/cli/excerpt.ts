/** The lines of a Dockerfile that a message is about, with their neighbours. */
import type { DockerfileSource } from "../build/source_error.ts";
import { redactCredentials } from "../context/remote_url.ts";
import type { SourceRange } from "../dockerfile/instruction.ts";

const CONTEXT_LINES = 2;
const MAX_EXCERPT_LINES = 20;

/** `file:line` or `file:first-last`, then the lines, those of `range` marked. */
export function formatExcerpt(source: DockerfileSource, range: SourceRange): readonly string[] {
  const all = source.text.replace(/\n$/, "").split("\n");
  const first = Math.max(1, range.startLine - CONTEXT_LINES);
  const last = Math.min(all.length, range.endLine + CONTEXT_LINES, first + MAX_EXCERPT_LINES);
  const width = String(last).length;
  const lines = [`${source.path}:${formatLines(range)}`];
  for (let number = first; number <= last; number++) {
    const mark = number >= range.startLine && number <= range.endLine ? ">" : " ";
    lines.push(
      `${mark} ${String(number).padStart(width)} | ${redactCredentials((all[number - 1] ?? "").trimEnd())}`.trimEnd(),
    );
  }
  return lines;
}

function formatLines({ startLine, endLine }: SourceRange): string {
  return startLine === endLine ? String(startLine) : `${startLine}-${endLine}`;
}
