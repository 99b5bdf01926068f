/** Sources of ADD that are no paths: URLs and git repositories, with the flags that are for them. Source: Dockerfile reference, ADD. */
import { type GitReference, isCommitPrefix, isGitReference, parseGitReference } from "../context/git_reference.ts";
import { redactUrl } from "../context/remote_url.ts";
import { type CopyInstruction, DockerfileError } from "../dockerfile/instruction.ts";
import { FormatError } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";

/** What a source word is. */
export type SourceForm = "path" | "url" | "git";

/** One source that is fetched. `position`: how many of the step's patterns come before it. */
export type RemoteSource =
  | {
    readonly kind: "url";
    readonly position: number;
    /** May carry a login. */
    readonly url: string;
    readonly checksum?: Digest;
    /** Whether it is unpacked when it is an archive. */
    readonly unpack: boolean;
  }
  | { readonly kind: "git"; readonly position: number; readonly reference: GitReference };

/** The sources of one instruction, told apart. */
export interface SplitSources {
  /** Patterns for paths. */
  readonly patterns: readonly string[];
  readonly remotes: readonly RemoteSource[];
}

/** The flags that are for remote sources alone. */
type RemoteFlags = Pick<CopyInstruction, "kind" | "range" | "unpack" | "keepGitDir">;

/** Tells paths from URLs and git repositories. `github.com/x/y` without a scheme is a path. */
export function sourceForm(source: string): SourceForm {
  if (isGitReference(source)) return "git";
  return /^https?:\/\//i.test(source) ? "url" : "path";
}

/**
 * Tells the expanded `words` of an instruction apart. `checksum` is expanded too, empty when there is none. Throws
 * DockerfileError for remote sources of COPY, checksums that fit nothing and repositories whose name makes no sense.
 */
export function splitSources(words: readonly string[], checksum: string, flags: RemoteFlags): SplitSources {
  checkChecksum(words, checksum, flags);
  const patterns: string[] = [];
  const remotes: RemoteSource[] = [];
  for (const word of words) {
    const form = sourceForm(word);
    const position = patterns.length;
    if (form === "path") patterns.push(word);
    else if (flags.kind === "COPY") throw remoteCopy(word, form, flags);
    else if (form === "url") remotes.push({ kind: "url", position, ...urlSource(word, checksum, flags) });
    else remotes.push({ kind: "git", position, reference: gitSource(word, checksum, flags) });
  }
  return { patterns, remotes };
}

function checkChecksum(words: readonly string[], checksum: string, { kind, range }: RemoteFlags): void {
  if (checksum === "") return;
  const fail = (reason: string): never => {
    throw new DockerfileError(`Cannot use ${kind} --checksum: ${reason}`, range);
  };
  if (words.length !== 1) fail("it is for one source, not for several");
  if (words.every((word) => sourceForm(word) === "path")) fail("it is for URLs and git repositories");
}

function remoteCopy(word: string, form: SourceForm, { range }: RemoteFlags): DockerfileError {
  const what = form === "git" ? "a git repository" : "a URL";
  const message = `Cannot copy "${redactUrl(word)}": a source of COPY cannot be ${what}`;
  return new DockerfileError(message, range, { hint: `ADD, unlike COPY, takes ${what}` });
}

function urlSource(
  url: string,
  checksum: string,
  { range, unpack = false }: RemoteFlags,
): Pick<RemoteSource & { kind: "url" }, "url" | "checksum" | "unpack"> {
  if (!URL.canParse(url)) throw new DockerfileError(`Cannot add "${redactUrl(url)}": it is not a valid URL`, range);
  if (checksum === "") return { url, unpack };
  if (isDigest(checksum)) return { url, checksum, unpack };
  const message = `Cannot use ADD --checksum="${checksum}": expected "sha256:" and 64 hex digits`;
  throw new DockerfileError(message, range);
}

function gitSource(word: string, checksum: string, { range, keepGitDir }: RemoteFlags): GitReference {
  const reference = readGitReference(word, { range });
  const fail = (reason: string): never => {
    throw new DockerfileError(`Cannot add "${redactUrl(word)}": ${reason}`, range);
  };
  const commit = checksum.toLowerCase();
  if (checksum !== "" && !isCommitPrefix(commit)) {
    const message = `Cannot use ADD --checksum="${checksum}": expected 7 to 64 hex digits of a commit`;
    throw new DockerfileError(message, range);
  }
  if (checksum !== "" && reference.commit !== undefined && reference.commit !== commit) {
    fail(`--checksum is "${checksum}" and the URL's commit is "${reference.commit}"`);
  }
  if (keepGitDir !== undefined && reference.keepGitDir !== undefined && reference.keepGitDir !== keepGitDir) {
    fail("--keep-git-dir and the URL's keep-git-dir contradict each other");
  }
  return {
    ...reference,
    ...(checksum === "" ? {} : { commit }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
  };
}

function readGitReference(word: string, { range }: Pick<RemoteFlags, "range">): GitReference {
  try {
    return parseGitReference(word);
  } catch (error: unknown) {
    if (error instanceof FormatError) throw new DockerfileError(error.message, range, { cause: error });
    throw error;
  }
}
