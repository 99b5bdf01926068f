/** The failure of everything that concerns the build context and the files that COPY and ADD take. */
import { BuilderError, type BuilderErrorOptions } from "../errors.ts";

/** What went wrong: "Cannot `action` "`source`": `reason`". */
export interface ContextFailure {
  /** What was tried: one verb, or a verb and an object, such as "copy" or "read Dockerfile". */
  readonly action: string;
  /** The path or context source, as people write it. */
  readonly source: string;
  /** The state that was found, such as "not found". */
  readonly reason: string;
}

/** A context, a Dockerfile or a file to copy that is missing, unreadable or in the way. */
export class ContextError extends BuilderError {
  readonly code = "context";
  readonly source: string;
  readonly reason: string;

  constructor(failure: ContextFailure, options: BuilderErrorOptions = {}) {
    super(`Cannot ${failure.action} "${failure.source}": ${failure.reason}`, options);
    this.source = failure.source;
    this.reason = failure.reason;
  }
}
