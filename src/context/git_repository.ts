/**
 * A git repository on this machine, as far as fetching needs one: a folder that packs are put into and objects are read
 * from. isomorphic-git does both; it is loaded when the first repository is made.
 */
import { errorText, FormatError } from "../errors.ts";
import { loadNodeFiles, type NodeFiles } from "../sys/node_files.ts";
import { type GitCommit, type GitTreeEntry, parseGitCommit, parseGitTag, parseGitTree } from "./git_objects.ts";

type GitLibrary = typeof import("isomorphic-git").default;

const MAX_TAGS = 10;

/** Reads and indexes; remembers what it has read of packs. */
export class GitRepository {
  /** The folder that git calls `.git`, absolute. */
  readonly folder: string;
  readonly #git: GitLibrary;
  readonly #files: PackFiles;
  readonly #cache: object = {};
  readonly #packs: string[] = [];

  private constructor(folder: string, git: GitLibrary, files: NodeFiles) {
    this.folder = folder;
    this.#git = git;
    this.#files = packFiles(files, folder, this.#packs);
  }

  /** Makes an empty repository at `folder`, which must not exist. */
  static async create(folder: string): Promise<GitRepository> {
    for (const path of ["", "/objects", "/objects/info", "/objects/pack", "/refs", "/refs/heads", "/refs/tags"]) {
      await Deno.mkdir(folder + path);
      await Deno.chmod(folder + path, 0o755);
    }
    await Deno.writeTextFile(`${folder}/HEAD`, "ref: refs/heads/main\n", { mode: 0o644 });
    // The default export has all functions in the library's ES form and, once bundled, in its CommonJS form too.
    return new GitRepository(folder, (await import("isomorphic-git")).default, await loadNodeFiles());
  }

  /** Takes in the pack that `write` stores at the path it is given. Throws FormatError for a damaged one. */
  async addPack(write: (path: string) => Promise<void>): Promise<void> {
    const base = `pack-${String(this.#packs.length / 2 + 1).padStart(40, "0")}`;
    const name = `objects/pack/${base}.pack`;
    await write(`${this.folder}/${name}`);
    try {
      const request = { fs: this.#files, dir: this.folder, gitdir: this.folder, filepath: name, cache: this.#cache };
      await this.#git.indexPack(request);
      this.#packs.push(`${base}.idx`, `${base}.pack`);
    } catch (error: unknown) {
      throw new FormatError(`Cannot read git pack: ${errorText(error)}`, { cause: error });
    }
  }

  /** Says that the parents of these commits are not here. */
  async markShallow(commits: readonly string[]): Promise<void> {
    if (commits.length > 0) await Deno.writeTextFile(`${this.folder}/shallow`, `${commits.join("\n")}\n`);
  }

  /** Whether the object is here. */
  async has(id: string): Promise<boolean> {
    return await this.#read(id) !== undefined;
  }

  /** The commit that `id` is, or that the tag `id` stands for. Throws FormatError. */
  async commit(id: string): Promise<GitCommit & { readonly id: string }> {
    let at = id;
    for (let tags = 0; tags <= MAX_TAGS; tags++) {
      const { type, content } = await this.#object(at);
      if (type === "commit") return { ...parseGitCommit(content), id: at };
      if (type !== "tag") throw new FormatError(`Cannot read git object ${at}: it is a ${type}, not a commit`);
      at = parseGitTag(content);
    }
    throw new FormatError(`Cannot read git tag ${id}: it stands for too many tags`);
  }

  /** The names in a tree. Throws FormatError. */
  async tree(id: string): Promise<readonly GitTreeEntry[]> {
    const { type, content } = await this.#object(id);
    if (type !== "tree") throw new FormatError(`Cannot read git object ${id}: it is a ${type}, not a tree`);
    return parseGitTree(content);
  }

  /** The bytes of a file. Throws FormatError. */
  async blob(id: string): Promise<Uint8Array> {
    const { type, content } = await this.#object(id);
    if (type !== "blob") throw new FormatError(`Cannot read git object ${id}: it is a ${type}, not a file`);
    return content;
  }

  async #object(id: string): Promise<GitObject> {
    const object = await this.#read(id);
    if (object === undefined) throw new FormatError(`Cannot read git object ${id}: the server has not sent it`);
    return object;
  }

  async #read(id: string): Promise<GitObject | undefined> {
    try {
      const request = { fs: this.#files, gitdir: this.folder, oid: id, format: "content" as const, cache: this.#cache };
      const { type, object } = await this.#git.readObject(request);
      if (!(object instanceof Uint8Array) || type === undefined) return undefined;
      return { type, content: object };
    } catch (error: unknown) {
      if (error instanceof Error && "code" in error && error.code === "NotFoundError") return undefined;
      throw new FormatError(`Cannot read git object ${id}: ${errorText(error)}`, { cause: error });
    }
  }
}

/** The library's view of the disk. */
type PackFiles = Parameters<GitLibrary["readObject"]>[0]["fs"];

/**
 * The library looks at the disk anew for every object. What cannot have changed is told from here: nothing but packs is
 * put into the repository, and `packs` are the names of their files.
 */
function packFiles({ promises }: NodeFiles, folder: string, packs: readonly string[]): PackFiles {
  const looseObjects = `${folder}/objects/`;
  const packFolder = `${looseObjects}pack`;
  const folderState = promises.stat(folder);
  const isLoose = (path: string): boolean => path.startsWith(looseObjects) && !path.startsWith(packFolder);
  return {
    promises: {
      ...promises,
      // The library calls it without a path to see whether it gives a promise.
      readFile: (path = "", options?: { encoding?: BufferEncoding }) =>
        isLoose(path) ? Promise.resolve(undefined) : promises.readFile(path, options),
      readdir: (path: string) => path === packFolder ? Promise.resolve([...packs]) : promises.readdir(path),
      stat: (path: string) => path === folder ? folderState : promises.stat(path),
    },
  };
}

interface GitObject {
  readonly type: string;
  readonly content: Uint8Array;
}
