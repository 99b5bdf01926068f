/**
 * The error taxonomy: every failure that reaches a person is a {@link BuilderError} with a code of a closed set.
 * Subclasses live beside their domain; only those that no single folder owns are here.
 */

/** What kind of failure this is. `cli/report.ts` switches over it exhaustively to choose text and exit code. */
export type ErrorCode =
  | "usage"
  | "dockerfile"
  | "context"
  | "run"
  | "registry"
  | "registry-auth"
  | "format"
  | "integrity"
  | "unsupported"
  | "system"
  | "cancelled"
  | "internal";

/** Options common to all errors: what led to it, and what the reader can do about it. */
export interface BuilderErrorOptions {
  readonly cause?: unknown;
  /** One sentence that tells the reader what to try, without a final period. */
  readonly hint?: string | undefined;
}

/** The base of every error that kiln throws on purpose. Messages read "Cannot <verb> <object>: <state>". */
export abstract class BuilderError extends Error {
  abstract readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(message: string, options: BuilderErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** A document of the outside world (digest, reference, manifest, config, tar header) that cannot be understood. */
export class FormatError extends BuilderError {
  readonly code = "format";
}

/** A feature that is not there, here or at all: the message names it, the hint what would enable it. */
export class UnsupportedError extends BuilderError {
  readonly code = "unsupported";
}

/** The build was told to stop. `signalName` is the signal that asked for it, such as "SIGTERM". */
export class CancelledError extends BuilderError {
  readonly code = "cancelled";
  constructor(readonly signalName: string, options: BuilderErrorOptions = {}) {
    super(`Build was stopped by ${signalName}`, options);
  }
}

/** A broken invariant of kiln itself: always a bug of ours. */
export class InternalError extends BuilderError {
  readonly code = "internal";
}

/** Whether `error` is one of ours, and so carries a message meant for people. */
export function isBuilderError(error: unknown): error is BuilderError {
  return error instanceof BuilderError;
}

/** The text of any thrown value, for use inside another message. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
