/** A registry with base images, the compiled program, and builds on this machine from Dockerfiles given as text. */
import { pushBusybox, pushDebian } from "./debian_base.ts";
import type { PodImage } from "./pod.ts";
import { type RegistryOptions, type RegistryProcess, startRegistry } from "./registry_process.ts";
import type { CommandResult } from "./run_command.ts";
import { type Binaries, ensureBinaries, ensurePackages } from "./set_up.ts";
import { startCommand, type StartedCommand } from "./start_command.ts";
import { makeTempDir } from "./temp_dir.ts";

const BUILD_TIMEOUT_MS = 300_000;

/** One build with --isolation=chroot. */
export interface HostBuild {
  /** The Dockerfile's text; none where it is among `files`, or missing on purpose. */
  readonly dockerfile?: string;
  /** The other files of the context, by path. A path that ends with a slash is an empty folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Adds to the context what is not a plain file. */
  readonly prepare?: (context: string) => Promise<void>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where the image goes without a word in `args`: a layout (and no push) unless this says otherwise. */
  readonly output?: "layout" | "by args";
  /** Lets the build write nothing but its own folder: every other file of the machine is read-only for it. */
  readonly isSealed?: boolean;
  /** Where the builder's own folder is made; a new one in the build's folder by default. */
  readonly workFolder?: string;
}

/** The folders of one build. */
export interface BuildFolders {
  /** Holds the others. */
  readonly folder: string;
  readonly context: string;
  /** The builder's own. */
  readonly work: string;
  /** The OCI layout, image `latest`. */
  readonly layout: string;
}

/** The machine of a test file. Disposing stops the registry and removes everything. */
export interface BuildWorld extends AsyncDisposable {
  readonly registry: RegistryProcess;
  readonly binaries: Binaries;
  readonly podImage: PodImage;
  readonly folder: string;
  /** Builds to the end. A failure is a result. */
  build(build: HostBuild): Promise<CommandResult & BuildFolders>;
  /** Starts a build; the caller disposes it. */
  start(build: HostBuild): Promise<StartedCommand & BuildFolders>;
}

/** What the world's registry holds and how it behaves. */
export interface WorldOptions {
  /** busybox is always there. */
  readonly hasDebian?: boolean;
  readonly registry?: RegistryOptions;
}

/** Starts a registry with busybox and, if asked for, Debian. */
export async function startBuildWorld(options: WorldOptions = {}): Promise<BuildWorld> {
  await ensurePackages();
  const binaries = await ensureBinaries();
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry(options.registry));
  const { path: folder } = stack.use(await makeTempDir());
  if (options.registry?.login === undefined && !options.registry?.isTls) {
    await pushBusybox(registry);
    if (options.hasDebian) await pushDebian(registry);
  }
  const owned = stack.move();
  const start = async (build: HostBuild): Promise<StartedCommand & BuildFolders> => {
    const folders = await makeFolders(folder, build);
    const command = [...build.isSealed ? seal(folders) : [], binaries.kiln, ...buildArgs(build, folders, registry)];
    const env = { HOME: folders.folder, ...build.env };
    return { ...startCommand(command, { cwd: folders.folder, env, timeoutMs: BUILD_TIMEOUT_MS }), ...folders };
  };
  return {
    registry,
    binaries,
    podImage: { kind: "parts", executor: binaries.executor, libraries: binaries.libraries },
    folder,
    start,
    async build(build): Promise<CommandResult & BuildFolders> {
      await using started = await start(build);
      const { folder, context, work, layout } = started;
      return { ...await started.result, folder, context, work, layout };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Flags with which names of Docker Hub are looked for in `registry` alone. */
export function hubFlags(registry: Pick<RegistryProcess, "host">): readonly string[] {
  return [
    `--registry-map=index.docker.io=${registry.host}`,
    `--insecure-registry=${registry.host}`,
    "--skip-default-registry-fallback",
  ];
}

async function makeFolders(parent: string, build: HostBuild): Promise<BuildFolders> {
  const folder = await Deno.makeTempDir({ dir: parent });
  const context = `${folder}/context`;
  await Deno.mkdir(context);
  await writeFiles(context, {
    ...build.dockerfile === undefined ? {} : { Dockerfile: build.dockerfile },
    ...build.files,
  });
  await build.prepare?.(context);
  return { folder, context, work: build.workFolder ?? `${folder}/work`, layout: `${folder}/layout` };
}

/** Writes `files` below `folder`, folders included. */
export async function writeFiles(folder: string, files: NonNullable<HostBuild["files"]>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const whole = `${folder}/${path}`;
    await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
    if (path.endsWith("/")) continue;
    await Deno.writeFile(whole, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
}

function buildArgs(build: HostBuild, folders: BuildFolders, registry: RegistryProcess): readonly string[] {
  const output = ["--no-push", `--oci-layout-path=${folders.layout}`];
  return [
    "--isolation=chroot",
    `--context=${folders.context}`,
    `--kaniko-dir=${folders.work}`,
    "--log-format=text",
    ...hubFlags(registry),
    ...build.output === "by args" ? [] : output,
    ...build.args ?? [],
  ];
}

/** A command prefix: a mount namespace of its own in which only the build's folder can be written. */
function seal({ folder, work }: BuildFolders): readonly string[] {
  const script =
    'mount --bind "$1" "$1" && mount --bind "$2" "$2" && mount -o remount,bind,ro / && shift 2 && exec "$@"';
  const workMount = work.startsWith(`${folder}/`) ? folder : work;
  return ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh", folder, workMount];
}
