/** A step that failed: the failure itself, with the lines of the Dockerfile that asked for it. */
import { BuilderError, type ErrorCode } from "../errors.ts";
import type { SourceRange } from "../dockerfile/instruction.ts";
import type { Step } from "../plan/plan.ts";

/** Takes code and message from `cause`, so that who must act and the exit status are those of the failure. */
export class StepError extends BuilderError {
  readonly code: ErrorCode;
  readonly range: SourceRange;
  /** The instruction, as shown to people. */
  readonly title: string;

  constructor(step: Step, override readonly cause: BuilderError) {
    super(cause.message, { cause, hint: cause.hint });
    this.code = cause.code;
    this.range = step.range;
    this.title = step.title;
  }
}
