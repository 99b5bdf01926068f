/**
 * A git repository at one commit, fetched into a folder: the ref found, the commit and its submodules fetched without
 * history, their files written. Serves ADD, named contexts and build contexts alike. Source: Docker's git contexts; BuildKit.
 */
import { BuilderError, errorText, FormatError } from "../errors.ts";
import { joinPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { resolveInRoot } from "../sys/resolve_in_root.ts";
import { setTimes } from "../sys/inode.ts";
import { AT_CWD } from "../sys/stat.ts";
import { ContextError } from "./context_error.ts";
import { type CheckedOutEntry, checkOut } from "./git_checkout.ts";
import type { GitServices } from "./git_connection.ts";
import { gitIndex } from "./git_index.ts";
import { fetchCommit, type FetchedCommit } from "./git_commit.ts";
import { formatGitReference, type GitReference } from "./git_reference.ts";
import { GitRepository } from "./git_repository.ts";
import { parseGitModules, resolveSubmodule, type Submodule } from "./git_submodules.ts";
import { redactCredentials } from "./remote_url.ts";

/** Files of a commit. */
export interface GitCheckout {
  /** The folder with the files, absolute: the whole repository's or the subdirectory's. */
  readonly root: RawPath;
  /** The commit, 40 digits. */
  readonly commit: string;
  /** Where it came from, without login. */
  readonly remote: string;
}

const MAX_NESTING = 10;
const MAX_MODULES_BYTES = 1 << 20;

/**
 * Fetches into `folder`, which is there and empty. Files get the time of their commit unless the reference says otherwise.
 * `.git` is there only if it is asked for, and only at the top. Throws ContextError with the remote, redacted, and what went
 * wrong, UnsupportedError where there is no ssh program; the folder is the caller's to remove.
 */
export async function fetchGit(reference: GitReference, folder: string, services: GitServices): Promise<GitCheckout> {
  const source = formatGitReference(reference);
  const tree = `${folder}/tree`;
  await Deno.mkdir(tree);
  await Deno.chmod(tree, 0o755);
  const keepsGit = reference.keepGitDir === true && reference.subdir === undefined;
  return await inWords(source, async () => {
    const repository = await GitRepository.create(keepsGit ? `${tree}/.git` : `${folder}/git`);
    const fetched = await fetchCommit(reference, repository, services);
    const place = { folder: rawPath(tree), scratch: folder, nesting: 0 };
    const entries = await writeCommit(fetched, { reference, repository, place }, services);
    if (keepsGit) await finishGitFolder(repository, { reference, fetched, entries });
    const mtimeNs = timeOf(reference, fetched);
    for (const path of keepsGit ? [`${tree}/.git`, tree] : []) {
      if (mtimeNs !== undefined) setTimes(AT_CWD, rawPath(path), mtimeNs);
    }
    return { root: subdirectory(reference, tree), commit: fetched.id, remote: redactCredentials(reference.remote) };
  });
}

/** A fetched repository and where its files go. */
interface Unit {
  readonly reference: GitReference;
  readonly repository: GitRepository;
  readonly place: { readonly folder: RawPath; readonly scratch: string; readonly nesting: number };
}

async function writeCommit(
  commit: FetchedCommit,
  unit: Unit,
  services: GitServices,
): Promise<readonly CheckedOutEntry[]> {
  const { reference, repository, place } = unit;
  const mtimeNs = timeOf(reference, commit);
  const options = { source: formatGitReference(reference), mtimeNs, signal: services.signal };
  const entries = await checkOut(repository, commit.tree, place.folder, options);
  if (reference.submodules !== false) await writeSubmodules(entries, unit, services, mtimeNs);
  if (mtimeNs !== undefined) setTimes(AT_CWD, place.folder, mtimeNs);
  return entries;
}

async function writeSubmodules(
  entries: readonly CheckedOutEntry[],
  { reference, repository, place }: Unit,
  services: GitServices,
  mtimeNs: bigint | undefined,
): Promise<void> {
  const links = entries.filter(({ kind }) => kind === "commit");
  if (links.length === 0) return;
  if (place.nesting >= MAX_NESTING) throw fault(reference, `its submodules are nested deeper than ${MAX_NESTING}`);
  const modules = await readModules(entries, repository);
  for (const { path, id } of links) {
    const module = modules.find((candidate) => rawPath(candidate.path) === path);
    if (module === undefined) throw fault(reference, `.gitmodules says nothing of submodule "${pathText(path)}"`);
    if (module.isSkipped) continue;
    const inner: GitReference = { ...resolveSubmodule(module.url, reference.remote), ref: id, ...mtimeOf(reference) };
    const scratch = await Deno.makeTempDir({ dir: place.scratch, prefix: "module-" });
    await inWords(formatGitReference(inner), async () => {
      const inside = await GitRepository.create(`${scratch}/git`);
      const fetched = await fetchCommit(inner, inside, services);
      const folder = joinPath(place.folder, path);
      const nested = { folder, scratch, nesting: place.nesting + 1 };
      await writeCommit(fetched, { reference: inner, repository: inside, place: nested }, services);
    });
    await Deno.remove(scratch, { recursive: true });
    if (mtimeNs !== undefined) setTimes(AT_CWD, joinPath(place.folder, path), mtimeNs);
  }
}

function mtimeOf({ mtime }: GitReference): Pick<GitReference, "mtime"> {
  return mtime === undefined ? {} : { mtime };
}

async function readModules(
  entries: readonly CheckedOutEntry[],
  repository: GitRepository,
): Promise<readonly Submodule[]> {
  const file = entries.find(({ path, kind }) => path === ".gitmodules" && (kind === "file" || kind === "program"));
  if (file === undefined) return [];
  const bytes = await repository.blob(file.id);
  if (bytes.length > MAX_MODULES_BYTES) throw new FormatError("Cannot read .gitmodules: it is too large");
  return parseGitModules(new TextDecoder().decode(bytes));
}

function subdirectory(reference: GitReference, tree: string): RawPath {
  if (reference.subdir === undefined) return rawPath(tree);
  const { outside, inode } = resolveInRoot(rawPath(tree), rawPath(reference.subdir));
  if (inode?.type === "directory") return outside;
  throw fault(reference, `"${reference.subdir}" is ${inode === undefined ? "not there" : "not a directory"}`);
}

/** What makes the folder of objects a repository that git itself can use: HEAD at the commit, the ref, remote and index. */
async function finishGitFolder(
  { folder }: GitRepository,
  { reference, fetched, entries }: {
    readonly reference: GitReference;
    readonly fetched: FetchedCommit;
    readonly entries: readonly CheckedOutEntry[];
  },
): Promise<void> {
  const url = redactCredentials(reference.remote);
  const config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n" +
    `[remote "origin"]\n\turl = "${url.replace(/["\\]/g, "\\$&")}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`;
  const files: [string, string | Uint8Array][] = [
    ["HEAD", `${fetched.id}\n`],
    ["config", config],
    ["index", await gitIndex(entries)],
  ];
  if (/^refs\/(?:heads|tags)\//.test(fetched.name ?? "")) {
    files.push(["packed-refs", `${fetched.objectId} ${fetched.name}\n`]);
  }
  for (const [name, content] of files) {
    await Deno.writeFile(
      `${folder}/${name}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }
  await settle(folder, timeOf(reference, fetched));
}

/** Gives all below `folder` the modes that git gives, whatever the umask, and one time. */
async function settle(folder: string, mtimeNs: bigint | undefined): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await settle(path, mtimeNs);
    else await Deno.chmod(path, /\.(?:pack|idx)$/.test(name) ? 0o444 : 0o644);
    if (mtimeNs !== undefined) setTimes(AT_CWD, rawPath(path), mtimeNs);
  }
}

function timeOf({ mtime }: GitReference, { committedAt }: FetchedCommit): bigint | undefined {
  return mtime === "checkout" ? undefined : BigInt(committedAt) * 1_000_000_000n;
}

function fault(reference: GitReference, reason: string): ContextError {
  return new ContextError({ action: "fetch", source: formatGitReference(reference), reason });
}

/** A document of the server's that makes no sense is the repository's fault. */
async function inWords<T>(source: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error: unknown) {
    if (error instanceof BuilderError && !(error instanceof FormatError)) throw error;
    throw new ContextError({ action: "fetch", source, reason: errorText(error) }, { cause: error });
  }
}
