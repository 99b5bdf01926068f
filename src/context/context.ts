/**
 * The build context: the folder that COPY and ADD take files from, and what its .dockerignore hides. Only local folders so
 * far. The Dockerfile is found here too, as it may lie in the context.
 */
import { FormatError, UnsupportedError } from "../errors.ts";
import { pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { ContextError } from "./context_error.ts";
import { IGNORE_NOTHING, parseDockerignore } from "./dockerignore.ts";
import type { PathPatterns } from "./path_patterns.ts";

/** An opened context. Disposing it removes what opening it made; a local folder stays. */
export interface BuildContext extends AsyncDisposable {
  /** The folder, absolute, no component a symlink. */
  readonly root: RawPath;
  /** What is not part of the context, by path relative to `root`. */
  readonly ignore: PathPatterns;
  /** Absolute path of the Dockerfile, symlinks followed; undefined when no such file was found. */
  readonly dockerfile: string | undefined;
}

/** How a context is opened. */
export interface ContextOptions {
  /** The Dockerfile as named by the user, undefined for the context's own; its `.dockerignore` beats the context's. */
  readonly dockerfile: string | undefined;
  /** Folder inside the context to use instead of its top. */
  readonly subPath?: string | undefined;
  /** Absolute folder that relative paths start at. */
  readonly currentDirectory: string;
}

/** A Dockerfile's bytes and where they were found. */
export interface DockerfileBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const DEFAULT_NAME = "Dockerfile";
const MAX_DOCKERFILE_BYTES = 16 << 20;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

/**
 * Opens a context: a folder, plain or as `dir://folder`. Throws UnsupportedError for any other scheme, ContextError for
 * what is no folder, FormatError for a .dockerignore that makes no sense.
 */
export async function openContext(source: string, options: ContextOptions): Promise<BuildContext> {
  const folder = localFolder(source);
  const top = await realFolder(joinText(options.currentDirectory, folder), source);
  const root = options.subPath === undefined ? top : await subFolder(top, options.subPath, source);
  const dockerfile = await findDockerfile(options.dockerfile, root, options.currentDirectory);
  const ignore = await readIgnore(root, dockerfile);
  return { root: rawPath(root), ignore, dockerfile, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** A local folder that COPY takes files from under a name. */
export interface NamedFolder {
  /** Absolute, no component a symlink. */
  readonly root: RawPath;
  /** What its own .dockerignore hides. */
  readonly ignore: PathPatterns;
}

/** Opens the folder of a named context. Throws ContextError for what is no folder, FormatError as `openContext` does. */
export async function openNamedFolder(path: string, currentDirectory: string): Promise<NamedFolder> {
  const root = await realFolder(joinText(currentDirectory, path), path);
  return { root: rawPath(root), ignore: await readIgnore(root, undefined) };
}

/** Reads the Dockerfile that `openContext` found for `path`. Throws ContextError when there is none or it is too large. */
export async function readDockerfile(path: string | undefined, context: BuildContext): Promise<DockerfileBytes> {
  const found = context.dockerfile;
  if (found === undefined) {
    throw new ContextError({
      action: "read Dockerfile",
      source: path ?? `${pathText(context.root)}/${DEFAULT_NAME}`,
      reason: "not found",
    }, {
      hint: "Name it with --dockerfile, relative to the current folder or to the context",
    });
  }
  return { path: found, bytes: await readBytes(found, "read Dockerfile") };
}

function localFolder(source: string): string {
  if (source === "-") throw new UnsupportedError(`Cannot open context "-": a context from stdin is not supported yet`);
  const scheme = SCHEME.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return source;
  if (scheme === "dir") return source.slice("dir://".length);
  throw new UnsupportedError(
    `Cannot open context "${withoutSecrets(source)}": scheme "${scheme}://" is not supported yet`,
    {
      hint: "Give a local folder, such as dir:///workspace",
    },
  );
}

/** URLs may carry a password; messages must not. */
function withoutSecrets(source: string): string {
  return source.replace(/^([^/]*:\/\/)[^/@]*@/, "$1***@").replace(/\?.*$/, "?***");
}

async function realFolder(path: string, source: string): Promise<string> {
  const fail = (reason: string, cause?: unknown): ContextError =>
    new ContextError({ action: "open context", source, reason }, { cause });
  let real: string;
  try {
    real = await Deno.realPath(path);
  } catch (error: unknown) {
    throw fail(fileProblem(error), error);
  }
  if (!(await Deno.stat(real)).isDirectory) throw fail("not a directory");
  return real;
}

async function subFolder(top: string, subPath: string, source: string): Promise<string> {
  const inner = subPath.split("/").filter((part) => part !== "" && part !== ".");
  if (inner.includes("..")) {
    throw new ContextError({ action: "open context", source, reason: `sub-path "${subPath}" leads out of it` });
  }
  const folder = await realFolder([top, ...inner].join("/"), `${source} (sub-path ${subPath})`);
  if (!isInside(folder, top)) {
    throw new ContextError({ action: "open context", source, reason: `sub-path "${subPath}" leads out of it` });
  }
  return folder;
}

/** The context's own, or as named: from here, then from the context; `dockerfile` where there is no `Dockerfile`. */
async function findDockerfile(
  named: string | undefined,
  root: string,
  currentDirectory: string,
): Promise<string | undefined> {
  const path = named ?? DEFAULT_NAME;
  const scheme = SCHEME.exec(path)?.[1];
  if (scheme !== undefined || path === "-") {
    const kind = scheme === undefined ? "from stdin" : `from ${scheme}://`;
    throw new UnsupportedError(
      `Cannot read Dockerfile "${withoutSecrets(path)}": a Dockerfile ${kind} is not supported yet`,
    );
  }
  const names = /(^|\/)Dockerfile$/.test(path) ? [path, path.replace(/Dockerfile$/, "dockerfile")] : [path];
  for (const name of names) {
    for (const folder of named === undefined ? [root] : [currentDirectory, root]) {
      const candidate = joinText(folder, name);
      if (!await isFile(candidate)) continue;
      const real = await Deno.realPath(candidate);
      if (named === undefined && !isInside(real, root)) {
        const reason = "a symlink that leads out of the context";
        throw new ContextError({ action: "read Dockerfile", source: candidate, reason }, {
          hint: "Name the file itself with --dockerfile",
        });
      }
      return real;
    }
  }
  return undefined;
}

async function readIgnore(root: string, dockerfile: string | undefined): Promise<PathPatterns> {
  const candidates = [`${root}/.dockerignore`];
  if (dockerfile !== undefined) candidates.unshift(`${dockerfile}.dockerignore`);
  for (const path of candidates) {
    if (!await isFile(path)) continue;
    return parseDockerignore(await readBytes(path, "read"), path);
  }
  return IGNORE_NOTHING;
}

/** The file's bytes, up to a limit: it may be a device that never ends. */
async function readBytes(path: string, action: string): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    const file = await Deno.open(path);
    for await (const chunk of file.readable) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_DOCKERFILE_BYTES) break;
    }
  } catch (error: unknown) {
    throw new ContextError({ action, source: path, reason: fileProblem(error) }, { cause: error });
  }
  if (length <= MAX_DOCKERFILE_BYTES) return await new Blob(chunks).bytes();
  throw new ContextError({ action, source: path, reason: `larger than ${MAX_DOCKERFILE_BYTES} bytes` });
}

/**
 * Whether something readable as a file is there; a fifo counts where shells make them for `<(command)`, but not elsewhere:
 * nobody may ever write to it.
 */
async function isFile(path: string): Promise<boolean> {
  try {
    const { isDirectory, isFifo } = await Deno.stat(path);
    return !isDirectory && (isFifo !== true || /^\/(dev|proc)\//.test(path));
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw new ContextError({ action: "look up", source: path, reason: fileProblem(error) }, { cause: error });
  }
}

function fileProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "not found";
  if (error instanceof Deno.errors.NotADirectory) return "not a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof FormatError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Whether the real path is the folder or lies in it. */
function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? folder : `${folder}/`);
}

function joinText(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}
