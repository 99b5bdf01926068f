/**
 * Docker's BuildKit as the reference for what a Dockerfile means: a daemon in a folder of its own, started by a script
 * beside the checkout. It needs root and, the first time, a minute and 900 MB of disk; where it cannot start, a reason is given.
 */
import { pathExists } from "./path_exists.ts";
import { type CommandResult, errorLine, mustRun, runCommand, say } from "./run_command.ts";
import { ensurePackages } from "./set_up.ts";

const PROJECT_ROOT = new URL("../../", import.meta.url).pathname;
const SCRIPT = `${PROJECT_ROOT}../shared/tools/reference-docker.sh`;
const FOLDER = `${PROJECT_ROOT}.work/reference`;
const START_TIMEOUT_MS = 300_000;
const BUILD_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 90_000;

/** One build of the reference. Paths are of this machine and lie below {@link ReferenceDocker.share}. */
export interface ReferenceBuild {
  readonly context: string;
  readonly dockerfile: string;
  /** Becomes an OCI layout. */
  readonly layout: string;
  /** Further flags of `docker buildx build`. */
  readonly flags: readonly string[];
}

/** A running daemon. Disposing stops it, unless it was running before; what it has unpacked stays for the next time. */
export interface ReferenceDocker extends AsyncDisposable {
  /** Folder that the daemon sees too. */
  readonly share: string;
  /** Builds without its cache. A failure is a result. */
  build(build: ReferenceBuild): Promise<CommandResult>;
}

/** A daemon, or why there is none. */
export type ReferenceStart =
  | { readonly kind: "started"; readonly docker: ReferenceDocker }
  | { readonly kind: "absent"; readonly reason: string };

/** Starts the daemon and waits until it answers. Two test runs of one checkout take turns. */
export async function startReferenceDocker(folder: string = FOLDER): Promise<ReferenceStart> {
  if (!await pathExists(SCRIPT)) return { kind: "absent", reason: `there is no ${SCRIPT}` };
  if (Deno.uid() !== 0) return { kind: "absent", reason: "it needs root" };
  await Deno.mkdir(folder, { recursive: true });
  const lock = await Deno.open(`${folder}/lock`, { write: true, create: true });
  try {
    await lock.lock(true);
    await ensurePackages(["mmdebstrap"]);
    const version = await mustRun(["sh", SCRIPT, "start", folder], { timeoutMs: START_TIMEOUT_MS });
    say(`The reference is ${version.trim()}`);
    return { kind: "started", docker: await makeDocker(folder, lock) };
  } catch (error: unknown) {
    lock.close();
    return { kind: "absent", reason: errorLine(error) };
  }
}

async function makeDocker(folder: string, lock: Deno.FsFile): Promise<ReferenceDocker> {
  const share = await Deno.makeTempDir({ dir: `${folder}/share` });
  const inside = (path: string): string => path.replace(`${folder}/share`, "/share");
  return {
    share,
    build({ context, dockerfile, layout, flags }): Promise<CommandResult> {
      const output = ["--output", `type=oci,tar=false,dest=${inside(layout)}`];
      const quiet = ["--progress=plain", "--provenance=false", "--sbom=false", "--no-cache", "--network=host"];
      const input = ["--file", inside(dockerfile), inside(context)];
      const command = [
        "sh",
        SCRIPT,
        "docker",
        folder,
        "buildx",
        "build",
        ...quiet,
        ...output,
        ...flags.map(inside),
        ...input,
      ];
      return runCommand(command, { timeoutMs: BUILD_TIMEOUT_MS });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Deno.remove(share, { recursive: true });
      await mustRun(["sh", SCRIPT, "stop", folder], { timeoutMs: STOP_TIMEOUT_MS });
      lock.close();
    },
  };
}
