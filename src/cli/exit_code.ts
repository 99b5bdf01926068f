/** Exit statuses: who has to act. A failed RUN's own status is passed on, as kaniko does. */
import { BuilderError, CancelledError, type ErrorCode } from "../errors.ts";
import { RunError } from "../runner/runner.ts";

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };
const EXIT_CODES: Readonly<Record<Exclude<ErrorCode, "run" | "cancelled">, number>> = {
  usage: 2,
  dockerfile: 3,
  context: 4,
  registry: 5,
  "registry-auth": 6,
  format: 7,
  integrity: 7,
  unsupported: 8,
  system: 9,
  internal: 70,
};

/** The exit status for a failure; anything that is not ours is a bug, 70. */
export function exitCode(error: unknown): number {
  if (!(error instanceof BuilderError)) return EXIT_CODES.internal;
  const root = rootOf(error);
  if (root instanceof RunError) return root.exitCode;
  if (root instanceof CancelledError) return 128 + (SIGNAL_NUMBERS[root.signalName] ?? 15);
  const { code } = error;
  return code === "run" ? 1 : code === "cancelled" ? 143 : EXIT_CODES[code];
}

/** The innermost cause with the same code: the failure itself, without the places it passed. */
function rootOf(error: BuilderError): BuilderError {
  return error.cause instanceof BuilderError && error.cause.code === error.code ? rootOf(error.cause) : error;
}
