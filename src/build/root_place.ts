/** Where the rootfs is: `/` of the container we run in, or folders; what in it is not the image's, and what runs commands there. */
import type { BuildContext } from "../context/context.ts";
import { FolderRoots } from "../rootfs/folder_roots.ts";
import { InplaceRoots } from "../rootfs/inplace_roots.ts";
import type { Roots } from "../rootfs/roots.ts";
import { chooseIsolation, containerMarkers, readMachineTraits } from "../runner/choose_isolation.ts";
import { ChrootRunner } from "../runner/chroot_runner.ts";
import { InplaceRunner } from "../runner/inplace_runner.ts";
import type { Runner } from "../runner/runner.ts";
import { DEFAULT_PATIENCE } from "../runner/supervise.ts";
import { readMountInfo } from "../sys/mountinfo.ts";
import { cleanPath, parentPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { lstat } from "../sys/stat.ts";
import type { RootOptions } from "./build_request.ts";
import type { CacheFolderPlace } from "./cache_folders.ts";
import type { Services } from "./services.ts";
import type { WorkFolder } from "./work_folder.ts";

const ROOT = rawPath("/");
const EXECUTOR_FOLDER = "/kaniko";
const DEFAULT_TEMPORARY = "/var/tmp";

/** The chosen place; opened once the work folder is there. */
export interface RootPlace {
  /** The folder in which the work folder is made. */
  readonly workParent: string;
  /** Where the folders of cache mounts are. */
  readonly caches: CacheFolderPlace;
  /** Makes the roots and their runner. `credentialPaths` are files that must survive in place. */
  open(
    work: WorkFolder,
    context: BuildContext,
    credentialPaths: readonly string[],
  ): { readonly roots: Roots; readonly runner: Runner };
}

/** Chooses by `--isolation` and what the machine shows. Throws UnsupportedError where building in place is refused. */
export function chooseRootPlace(options: RootOptions, services: Services): RootPlace {
  const facts = {
    containerMarkers: containerMarkers(readMachineTraits(services.env)),
    isExecutorImage: ownFolder() === (services.env.KANIKO_DIR ?? EXECUTOR_FOLDER),
    isForced: options.force,
  };
  const isolation = chooseIsolation(options.isolation, facts);
  services.log.debug(`Isolation is ${isolation}`, { container: facts.containerMarkers.join(", ") });
  return isolation === "inplace" ? inplace(options) : chroot(options, services);
}

function chroot(options: RootOptions, { env, log, selfCommand }: Services): RootPlace {
  const workParent = options.workFolder ?? (env.TMPDIR || DEFAULT_TEMPORARY);
  return {
    workParent,
    caches: { parent: rawPath(cachesFolder(options, workParent, env)), inplaceRoot: undefined },
    open: (work) => ({
      roots: new FolderRoots(rawPath(work.stages)),
      runner: new ChrootRunner({ selfCommand, launchFolder: work.launch, warn: (message) => log.warn(message) }),
    }),
  };
}

function inplace(options: RootOptions): RootPlace {
  const workParent = options.workFolder ?? EXECUTOR_FOLDER;
  return {
    workParent,
    caches: { parent: rawPath(`${workParent}/caches`), inplaceRoot: ROOT },
    open: (work, context, credentialPaths) => {
      const keepFolder = keepFolderFor(work);
      const protectedPaths = [
        ...readMountInfo().map((mount) => mount.path),
        rawPath(workParent),
        rawPath(EXECUTOR_FOLDER),
        rawPath(ownFolder()),
        context.root,
        keepFolder,
        ...credentialPaths.map((path) => parentPath(rawPath(path))).filter((path) => lstat(path) !== undefined),
        ...options.ignorePaths.map((path) => rawPath(path)),
      ].map(cleanPath).filter((path) => path !== ROOT);
      const roots = new InplaceRoots({
        root: ROOT,
        protectedPaths: [...new Set(protectedPaths)],
        keepFolder,
        wipeFirst: options.preCleanup,
      });
      return { roots, runner: new InplaceRunner(DEFAULT_PATIENCE, keepFolder) };
    },
  };
}

/** Caches outlive the build: they are in the folder that was chosen for kiln's files, else in the user's own. */
function cachesFolder(
  { workFolder }: RootOptions,
  workParent: string,
  env: Readonly<Record<string, string>>,
): string {
  if (workFolder !== undefined) return `${workFolder}/caches`;
  if (env.XDG_CACHE_HOME) return `${env.XDG_CACHE_HOME}/kiln/caches`;
  return env.HOME ? `${env.HOME}/.cache/kiln/caches` : `${workParent}/kiln-caches`;
}

/** Kept stages must be on the file system of `/`, as they are moved there by renaming. */
function keepFolderFor(work: WorkFolder): RawPath {
  const isSameDevice = lstat(rawPath(work.stages))?.dev === lstat(ROOT)?.dev;
  if (isSameDevice) return rawPath(work.stages);
  Deno.mkdirSync("/.kiln", { recursive: true, mode: 0o700 });
  return rawPath("/.kiln");
}

/** The folder of the running program. */
function ownFolder(): string {
  return parentPath(rawPath(Deno.execPath()));
}
