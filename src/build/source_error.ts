/** A failure that lines of the Dockerfile are to blame for, together with those lines' text for the report. */
import { DockerfileError, InstructionError, type SourceRange } from "../dockerfile/instruction.ts";
import { BuilderError, type ErrorCode, isBuilderError } from "../errors.ts";

/** The Dockerfile that is built: its path as given, and its text. */
export interface DockerfileSource {
  readonly path: string;
  readonly text: string;
}

/** Takes code and message from `cause`, so that who must act and the exit status are those of the failure. */
export class SourceError extends BuilderError {
  readonly code: ErrorCode;

  constructor(override readonly cause: BuilderError, readonly source: DockerfileSource, readonly range: SourceRange) {
    super(cause.message, { cause, hint: cause.hint });
    this.code = cause.code;
  }
}

/**
 * Runs `action`; a failure of ours comes out as a SourceError at `range` or, where that is undefined, at the lines that
 * a DockerfileError or InstructionError names. A cancelled build is nobody's fault and passes as it is.
 */
export async function atSource<T>(
  source: DockerfileSource,
  range: SourceRange | undefined,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error: unknown) {
    if (!isBuilderError(error) || error instanceof SourceError || error.code === "cancelled") throw error;
    const isPlaced = error instanceof DockerfileError || error instanceof InstructionError;
    const lines = isPlaced ? error.range ?? range : range;
    throw lines === undefined ? error : new SourceError(error, source, lines);
  }
}
