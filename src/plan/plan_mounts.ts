/** The `--mount` flags of a RUN as mounts: defaults filled in, targets absolute, files' origins resolved. */
import { DockerfileError, type RunInstruction } from "../dockerfile/instruction.ts";
import { resolvePath } from "./container_path.ts";
import { type MountOptions, readMountOptions } from "./mount_options.ts";
import type { CopySource, RunMount } from "./plan.ts";

/** What mounts are planned with. */
export interface MountSurroundings {
  readonly workdir: string;
  readonly expand: (value: string) => string;
  /** What `from` means; the context when it is undefined. */
  readonly source: (from: string | undefined) => CopySource;
}

const CACHE_MODE = 0o755;
const SECRET_MODE = 0o400;
const SSH_MODE = 0o600;
const SECRETS_FOLDER = "/run/secrets";
const AGENT_PATH = "/run/buildkit/ssh_agent";

/** Plans the mounts in their order; of those with one target the last. Throws DockerfileError. */
export function planMounts(instruction: RunInstruction, surroundings: MountSurroundings): readonly RunMount[] {
  const { range } = instruction;
  const { expand } = surroundings;
  let agents = 0;
  const mounts = instruction.mounts.map(({ text }) => {
    const options = readMountOptions(text, { range, expand });
    const refuse = (reason: string): never => {
      throw new DockerfileError(`Cannot use --mount=${text}: ${reason}`, range);
    };
    return planMount(options, {
      ...surroundings,
      refuse,
      nextAgent: () => agents++,
      resolve: (target) => {
        const path = resolvePath(surroundings.workdir, target);
        return path === "/" ? refuse('invalid mount target "/"') : path;
      },
    });
  });
  return lastOfEachTarget(mounts);
}

interface OneMount extends MountSurroundings {
  readonly resolve: (target: string) => string;
  readonly refuse: (reason: string) => never;
  readonly nextAgent: () => number;
}

function planMount(options: MountOptions, { source, resolve, refuse, nextAgent }: OneMount): RunMount {
  const { type, target = "", isReadOnly, sizeBytes } = options;
  switch (type) {
    case "bind": {
      if (options.from === "scratch") refuse('"scratch" has no files to mount');
      const path = resolvePath("/", options.source ?? "");
      return {
        kind: "bind",
        target: resolve(target),
        from: source(options.from || undefined),
        source: path,
        isReadOnly: isReadOnly ?? true,
      };
    }
    case "cache":
      return planCache(options, resolve(target), source);
    case "tmpfs":
      return { kind: "tmpfs", target: resolve(target), ...(sizeBytes ? { sizeBytes } : {}) };
    case "secret":
      return planSecret(options, resolve);
    case "ssh": {
      const agent = nextAgent();
      return {
        kind: "ssh",
        id: options.id || "default",
        target: resolve(target || `${AGENT_PATH}.${agent}`),
        ...access(options, SSH_MODE),
      };
    }
  }
}

/** The id of a cache is its target as written, cleaned, unless it has one. */
function planCache(options: MountOptions, target: string, source: MountSurroundings["source"]): RunMount {
  const { from, uid = 0, gid = 0, mode = CACHE_MODE } = options;
  return {
    kind: "cache",
    id: options.id || resolvePath("/", options.target ?? ""),
    target,
    ...(!from || from === "scratch" ? {} : { from: source(from) }),
    source: resolvePath("/", options.source ?? ""),
    isReadOnly: options.isReadOnly ?? false,
    sharing: options.sharing ?? "shared",
    mode,
    uid,
    gid,
  };
}

/** A secret with a variable and no target has no file. */
function planSecret(options: MountOptions, resolve: (target: string) => string): RunMount {
  const { target, env } = options;
  const id = options.source || options.id || baseName(target ?? "");
  const path = target || (env === undefined ? `${SECRETS_FOLDER}/${baseName(id)}` : undefined);
  return {
    kind: "secret",
    id,
    ...(path === undefined ? {} : { target: resolve(path) }),
    ...(env === undefined ? {} : { env }),
    ...access(options, SECRET_MODE),
  };
}

function access(
  { isRequired = false, mode, uid = 0, gid = 0 }: MountOptions,
  defaultMode: number,
): { readonly isRequired: boolean; readonly mode: number; readonly uid: number; readonly gid: number } {
  return { isRequired, mode: mode ?? defaultMode, uid, gid };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function lastOfEachTarget(mounts: readonly RunMount[]): readonly RunMount[] {
  return mounts.filter(({ target }, index) => {
    return target === undefined || !mounts.slice(index + 1).some((later) => later.target === target);
  });
}
