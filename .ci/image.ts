/**
 * `deno task image [flags]`: builds the executor, then the executor image with the program just made. The flags are kiln's own
 * (`--destination`, `--tar-path`, `--insecure-pull`…); without an output among them the image becomes an OCI layout in dist/image.
 */
import { passThrough } from "../tests/support/run_command.ts";
import { build, projectBuild } from "./build.ts";

const PROJECT_ROOT = new URL("..", import.meta.url).pathname;
const OUTPUT_FLAGS = /^(?:-d|--destination|--tar-path|--tarPath|--oci-layout-path|--no-push)(?:=|$)/;

/** kiln's arguments for the executor image, `flags` last. */
export function imageArguments(flags: readonly string[]): readonly string[] {
  const hasOutput = flags.some((flag) => OUTPUT_FLAGS.test(flag));
  const output = hasOutput ? [] : ["--no-push", `--oci-layout-path=${PROJECT_ROOT}dist/image`];
  return [`--context=dir://${PROJECT_ROOT}`, `--dockerfile=${PROJECT_ROOT}Dockerfile`, ...output, ...flags];
}

if (import.meta.main) {
  await build(await projectBuild(true));
  Deno.exit(await passThrough([`${PROJECT_ROOT}dist/kiln`, ...imageArguments(Deno.args)]));
}
