/** What the outside world gives a build, made in `cli/` and passed down: the whole replacement for globals. */
import type { Logger } from "../log/logger.ts";

/** Passed as the last parameter to everything that acts. */
export interface Services {
  readonly log: Logger;
  /** Aborted, with a CancelledError as its reason, when the build is told to stop. */
  readonly signal: AbortSignal;
  /** The time, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The environment that kiln was started with. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; what relative paths of the request start at. */
  readonly currentDirectory: string;
  /** How to start this program again: the executable and what comes before the verb. */
  readonly selfCommand: readonly string[];
  /** Takes a text that no message of ours may show from now on. */
  readonly conceal: (secret: string) => void;
  /** Receives the output of RUN, as it comes. */
  readonly stepOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
}
