/** Failures of the file system under a layout, said in the layout's words. */
import { errorText, isBuilderError } from "../errors.ts";
import { SystemError } from "../sys/libc.ts";
import { rawPath } from "../sys/raw_path.ts";

/**
 * Runs `action`; a refusal of the file system becomes a SystemError "Cannot <what>: …" that keeps the errno. All else
 * (our own errors, what a signal was aborted with, what a source failed with) passes through.
 */
export async function inLayout<T>(what: string, layoutPath: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error: unknown) {
    const errno = errnoOf(error);
    if (errno === undefined || isBuilderError(error)) throw error;
    const reason = errno === "ENOSPC" ? `there is no space left on the disk of "${layoutPath}"` : errorText(error);
    throw new SystemError("io", errno, rawPath(layoutPath), `Cannot ${what}: ${reason}`, {
      cause: error,
      hint: errno === "ENOSPC" ? "Free some space, or put the work folder on a larger disk" : undefined,
    });
  }
}

function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)) return error.code;
  return /no space left on device/i.test(error.message) ? "ENOSPC" : undefined;
}
