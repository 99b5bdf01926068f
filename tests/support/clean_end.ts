/** What every end of a build has in common, the bad ones most of all. */
import { deepEqual, equal } from "node:assert/strict";
import type { BuildFolders } from "./build_world.ts";
import { leftovers, listFiles } from "./leftovers.ts";
import type { RegistryProcess } from "./registry_process.ts";
import type { CommandResult } from "./run_command.ts";

/** What is allowed beyond nothing at all. */
export interface CleanEndOptions {
  /** Whether a layout with the image may be there. */
  readonly mayHaveLayout?: boolean;
}

/**
 * Asserts that the build left no mounts, processes or files, printed no digest, and at most one error. Bugs of the
 * builder itself (exit code 70, stack traces) are never a right answer.
 */
export async function assertCleanEnd(
  built: CommandResult & BuildFolders,
  options: CleanEndOptions = {},
): Promise<void> {
  equal(built.isTimedOut, false);
  const errors = built.stderr.split("\n").filter((line) => line.startsWith("ERRO "));
  equal(errors.length, built.code === 0 ? 0 : 1, built.stderr);
  equal(/This is a bug|^\s+at .*:\d+:\d+\)?$/m.test(built.stderr), false, built.stderr);
  if (built.code !== 0) equal(built.stdout, "");
  deepEqual(await leftovers(built.folder), []);
  if (built.work.startsWith(`${built.folder}/`)) {
    const left = (await listFiles(built.folder)).filter((path) => !path.startsWith("context"));
    const allowed = options.mayHaveLayout ? left.filter((path) => !path.startsWith("layout")) : left;
    deepEqual(allowed.filter((path) => path !== "work"), []);
  } else {
    deepEqual(await listFiles(built.work), []);
  }
}

/** Asserts that `repository` has nothing in it, not even an upload that was begun. */
export async function assertNothingPushed(registry: RegistryProcess, repository: string): Promise<void> {
  const response = await fetch(`${registry.url}/v2/${repository}/tags/list`);
  await response.body?.cancel();
  equal(response.status, 404, `${repository} has tags`);
}
