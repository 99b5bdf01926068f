/** A failure as people read it: one sentence, the lines of the Dockerfile it is about, and what to try. */
import { type DockerfileSource, SourceError } from "../build/source_error.ts";
import { DockerfileError, type SourceRange } from "../dockerfile/instruction.ts";
import { BuilderError, errorText } from "../errors.ts";
import { formatExcerpt } from "./excerpt.ts";

/**
 * The text of a failure: message, `file:line`, an excerpt with the lines marked, and the hint. What is not one of our
 * errors is shown with its stack, as a bug of ours.
 */
export function formatFailure(error: unknown): string {
  if (!(error instanceof BuilderError)) {
    const stack = error instanceof Error ? error.stack ?? error.message : String(error);
    return `This is a bug in kiln, please report it: ${errorText(error)}\n${stack}`;
  }
  const source = error instanceof SourceError ? error.source : undefined;
  const range = error instanceof SourceError ? error.range : undefined;
  const others = error.cause instanceof DockerfileError ? error.cause.others : [];
  const faults = [formatFault(error, source, range), ...others.map((other) => formatFault(other, source, other.range))];
  return faults.join("\n\n");
}

function formatFault(
  error: BuilderError,
  source: DockerfileSource | undefined,
  range: SourceRange | undefined,
): string {
  const place = source === undefined || range === undefined ? [] : formatExcerpt(source, range);
  const hint = error.hint === undefined ? [] : [`Hint: ${error.hint}`];
  return [error.message, ...place, ...hint].join("\n");
}

/** What log records carry about a failure, for machines. */
export function failureFields(error: unknown): Record<string, string | number> {
  const code = error instanceof BuilderError ? error.code : "internal";
  return error instanceof SourceError ? { code, file: error.source.path, line: error.range.startLine } : { code };
}
