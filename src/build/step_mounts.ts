/**
 * The mounts of a RUN made concrete: files found, caches opened, secrets looked up by their ids. What a command gets of them
 * is in its environment and at its targets while it runs, and nowhere else.
 */
import { ContextError } from "../context/context_error.ts";
import { UnsupportedError } from "../errors.ts";
import type { CacheMount, CopySource, RunMount, RunStep, SecretMount, SshMount } from "../plan/plan.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { CommandMount } from "../runner/command_mount.ts";
import { readMountInfo } from "../sys/mountinfo.ts";
import { isWithin, parentPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import type { MountRequest } from "./build_request.ts";
import type { BuildSession } from "./build_session.ts";
import type { CacheFolders, CacheOrigin, OpenCache } from "./cache_folders.ts";
import { copySource } from "./copy_source.ts";
import { findFiles, type MountedFiles } from "./mounted_files.ts";
import { readSecrets, type Secrets } from "./secrets.ts";
import type { Services } from "./services.ts";
import { checkAgent, forwardAgent } from "./ssh_agent.ts";

/** What a build can mount besides files of its stages. */
export interface MountSupplies {
  readonly secrets: Secrets;
  /** Sockets of ssh agents, absolute, by id. */
  readonly agents: ReadonlyMap<string, string>;
  readonly caches: CacheFolders;
}

/** The mounts of one RUN. Disposing releases its caches. */
export interface StepMounts extends AsyncDisposable {
  readonly mounts: readonly CommandMount[];
  /** "NAME=value" that they add to the environment, with values that must not be shown. */
  readonly env: readonly string[];
}

/** Where the step runs. */
export interface MountingPlace {
  readonly rootfs: Rootfs;
  /** The files of finished stages, by stage index. */
  readonly kept: ReadonlyMap<number, Rootfs>;
}

/** Reads the secrets and finds the agents of `request`, before anything is touched. Throws ContextError. */
export async function readMountRequest(
  request: MountRequest | undefined,
  services: Services,
): Promise<Omit<MountSupplies, "caches">> {
  const secrets = await readSecrets(request?.secrets ?? new Map(), services);
  const agents = new Map<string, string>();
  for (const [id, path] of request?.agents ?? []) {
    const socket = path.startsWith("/") ? path : `${services.currentDirectory}/${path}`;
    checkAgent(id, socket);
    agents.set(id, socket);
  }
  return { secrets, agents };
}

const EXECUTOR_FOLDER = rawPath("/kaniko");
const SCRIPT_FOLDER = "/dev/pipes";
const SCRIPT_MODE = 0o755;
const AGENT_VARIABLE = "SSH_AUTH_SOCK";

/**
 * Opens the mounts of `step`. Throws ContextError for files and required secrets that are not there, and UnsupportedError
 * for targets that are no part of the image.
 */
export async function openStepMounts(
  step: RunStep,
  place: MountingPlace,
  session: BuildSession,
): Promise<StepMounts> {
  await using stack = new AsyncDisposableStack();
  const opener = new MountOpener(place, session, stack);
  const mounts: CommandMount[] = [];
  for (const mount of step.mounts ?? []) {
    checkTarget(mount, place.rootfs, session);
    const opened = await opener.open(mount);
    if (opened !== undefined) mounts.push(opened);
  }
  if (step.script !== undefined) mounts.push(scriptMount(step.script));
  const owned = stack.move();
  const env = opener.env.filter((entry) =>
    !entry.startsWith(`${AGENT_VARIABLE}=`) || !hasVariable(step, AGENT_VARIABLE)
  );
  return { mounts, env, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function hasVariable({ env }: RunStep, name: string): boolean {
  return env.some((entry) => entry.startsWith(`${name}=`));
}

function scriptMount({ name, content }: NonNullable<RunStep["script"]>): CommandMount {
  const bytes = new TextEncoder().encode(content);
  const target = rawPath(`${SCRIPT_FOLDER}/${name}`);
  return { kind: "content", target, content: bytes, mode: SCRIPT_MODE, uid: 0, gid: 0 };
}

/** In place, a target may neither be nor hold a mount of the container or a folder of ours. */
function checkTarget(mount: RunMount, rootfs: Rootfs, session: BuildSession): void {
  const { target } = mount;
  if (target === undefined) return;
  const inner = rootfs.resolve(rawPath(target), true);
  if (!rootfs.isProtected(inner) && !rootfs.holdsProtected(inner)) return;
  if (isFileOfMount(mount, inner, session) && rootfs.lstat(inner) === undefined) return;
  throw new UnsupportedError(
    `Cannot mount at "${target}": a mount of this container or kiln's own folder is there or in it`,
    { hint: "Choose another target, or build with --isolation=chroot where the kernel permits mounts" },
  );
}

/**
 * Whether a new file may be put at `inner`, which is in a mount of the container: some runtimes mount something at
 * /run/secrets. No layer has what is in a mount; the context and folders of ours are no places for it.
 */
function isFileOfMount({ kind }: RunMount, inner: RawPath, { context, work }: BuildSession): boolean {
  if (kind !== "secret" && kind !== "ssh") return false;
  const own = [context.root, parentPath(rawPath(work.path)), EXECUTOR_FOLDER];
  if (own.some((folder) => isWithin(inner, folder) || isWithin(folder, inner))) return false;
  return readMountInfo().some(({ path }) => path !== "/" && path !== inner && isWithin(inner, path));
}

/** Opens one mount after the other. */
class MountOpener {
  readonly #place: MountingPlace;
  readonly #session: BuildSession;
  readonly #stack: AsyncDisposableStack;
  readonly #env: string[] = [];
  readonly #caches = new Map<string, OpenCache>();

  constructor(place: MountingPlace, session: BuildSession, stack: AsyncDisposableStack) {
    this.#place = place;
    this.#session = session;
    this.#stack = stack;
  }

  get env(): readonly string[] {
    return this.#env;
  }

  /** Undefined for what has no place in the root: a secret that is a variable, or an optional one that is not there. */
  async open(mount: RunMount): Promise<CommandMount | undefined> {
    switch (mount.kind) {
      case "bind": {
        const files = await this.#files(mount.source, mount.from);
        return { ...files, kind: "tree", target: rawPath(mount.target), isReadOnly: mount.isReadOnly };
      }
      case "cache":
        return await this.#openCache(mount);
      case "tmpfs":
        return { kind: "tmpfs", target: rawPath(mount.target), sizeBytes: mount.sizeBytes };
      case "secret":
        return this.#openSecret(mount);
      case "ssh":
        return this.#openAgent(mount);
    }
  }

  async #files(path: string, from: CopySource): Promise<MountedFiles> {
    return findFiles(path, await copySource(from, this.#place.kept, this.#session), this.#session);
  }

  async #openCache(mount: CacheMount): Promise<CommandMount> {
    const { isReadOnly, from, id, sharing } = mount;
    const origin: CacheOrigin | undefined = from === undefined
      ? undefined
      : { identity: originIdentity(from), files: await this.#files(mount.source, from) };
    const key = sharing === "private" ? undefined : JSON.stringify({ ...mount, target: "", from: origin?.identity });
    const known = key === undefined ? undefined : this.#caches.get(key);
    const cache = known ?? this.#stack.use(await this.#session.supplies.caches.open(mount, origin, this.#session));
    if (key !== undefined) this.#caches.set(key, cache);
    this.#session.services.log.debug("Cache mount", { id, folder: cache.folder });
    const { folder, loan } = cache;
    return {
      kind: "cache",
      target: rawPath(mount.target),
      isReadOnly,
      folder,
      lend: (place) => loan.lend(place),
      takeBack: (place) => loan.takeBack(place),
    };
  }

  #openSecret({ id, target, env, isRequired, mode, uid, gid }: SecretMount): CommandMount | undefined {
    const content = this.#session.supplies.secrets.get(id);
    if (content === undefined) {
      if (!isRequired) {
        if (env !== undefined) this.#env.push(`${env}=`); // As BuildKit: the file is missing, the variable is empty.
        return undefined;
      }
      throw new ContextError({ action: "mount secret", source: id, reason: "not found" }, {
        hint: `Give it with --secret id=${id},src=FILE or --secret id=${id},env=NAME`,
      });
    }
    if (env !== undefined) this.#env.push(`${env}=${secretText(id, content)}`);
    if (target === undefined) return undefined;
    return { kind: "content", target: rawPath(target), content, mode, uid, gid };
  }

  #openAgent({ id, target, isRequired, mode, uid, gid }: SshMount): CommandMount | undefined {
    const agent = this.#session.supplies.agents.get(id);
    if (agent === undefined) {
      if (!isRequired) return undefined;
      throw new ContextError({ action: "mount ssh agent", source: id, reason: "not found" }, {
        hint: `Give it with --ssh ${id}=SOCKET, or --ssh ${id} for the agent of SSH_AUTH_SOCK`,
      });
    }
    const isFirst = !this.#env.some((entry) => entry.startsWith(`${AGENT_VARIABLE}=`));
    if (isFirst) this.#env.push(`${AGENT_VARIABLE}=${target}`);
    const listen = (place: Parameters<typeof forwardAgent>[1]): AsyncDisposable =>
      forwardAgent(agent, place, { mode, uid, gid });
    return { kind: "socket", target: rawPath(target), listen };
  }
}

/** A variable holds text without NUL. */
function secretText(id: string, content: Uint8Array): string {
  const text = new TextDecoder().decode(content);
  if (!text.includes("\0")) return text;
  throw new ContextError({ action: "set a variable to secret", source: id, reason: "it holds a NUL byte" }, {
    hint: "Mount it as a file",
  });
}

/** What tells one origin of a cache from another: an image by its digest, a stage by its place in the file. */
function originIdentity(from: CopySource): string {
  switch (from.kind) {
    case "image":
      return from.image.digest;
    case "stage":
      return `stage ${from.stageIndex}`;
    case "context":
      return "context";
    case "named":
      return `build context ${from.name}`;
  }
}
