/** An option of the build that does not fit the Dockerfile: the caller's fault, not the file's, and so without a line. */
import { BuilderError, type BuilderErrorOptions } from "../errors.ts";

/** Says which option, which value and what was expected. */
export class OptionError extends BuilderError {
  readonly code = "usage";
  constructor(message: string, options: BuilderErrorOptions = {}) {
    super(message, options);
  }
}
