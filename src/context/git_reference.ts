/**
 * Names of git repositories: which server, which ref, which folder of it. Pure. Source: Docker's "git repositories" context
 * grammar and BuildKit's reader of it; the query form is that of the Dockerfile reference, ADD.
 */
import { FormatError } from "../errors.ts";
import { redactCredentials, redactUrl } from "./remote_url.ts";

/** How a repository is reached. */
export type GitTransport = "http" | "git" | "ssh";

/** A repository and what of it is wanted. */
export interface GitReference {
  readonly transport: GitTransport;
  /** URL, or `user@host:path`, without ref; may carry a login. */
  readonly remote: string;
  /** A branch, a tag, a whole ref name or a commit; the default branch when absent. */
  readonly ref?: string;
  /** A folder of the repository. */
  readonly subdir?: string;
  /** The first 7 or more digits of the commit that must be found. */
  readonly commit?: string;
  readonly keepGitDir?: boolean;
  /** Whether submodules come along; they do when absent. */
  readonly submodules?: boolean;
  /** The time that files get: that of the commit, or of the build. */
  readonly mtime?: "checkout" | "commit";
  /** Ask for the commit itself, not for the ref. */
  readonly fetchByCommit?: boolean;
}

const SCP_FORM = /^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:/;
const URL_FORM = /^(https?|git|ssh):\/\/[^/?#]/i;
const HTTP_PATH = /^https?:\/\/[^/?#]*([^?#]*)/i;

/** Whether `text` names a git repository, well or not. A path such as `github.com/x/y` does not. */
export function isGitReference(text: string): boolean {
  if (SCP_FORM.test(text)) return true;
  const scheme = URL_FORM.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return false;
  return !scheme.startsWith("http") || (HTTP_PATH.exec(text)?.[1] ?? "").endsWith(".git");
}

/**
 * Reads `REMOTE[?KEY=VALUE&…][#REF[:SUBDIR]]`. Throws FormatError, redacted, for keys that are unknown or contradict.
 *
 * @example
 * ```ts
 * import { parseGitReference } from "./git_reference.ts";
 * import { deepEqual } from "node:assert/strict";
 * deepEqual(parseGitReference("https://h/r.git#v1:docs"), {
 *   transport: "http",
 *   remote: "https://h/r.git",
 *   ref: "v1",
 *   subdir: "docs",
 * });
 * ```
 */
export function parseGitReference(text: string): GitReference {
  const hash = text.indexOf("#");
  const beforeHash = hash < 0 ? text : text.slice(0, hash);
  const mark = beforeHash.indexOf("?");
  const remote = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  const fail = (reason: string): never => {
    throw new FormatError(`Cannot read git repository "${redactUrl(text)}": ${reason}`);
  };
  if (!isGitReference(remote)) return fail("expected a URL of http, https, git or ssh, or user@host:path");
  if (!SCP_FORM.test(remote) && !URL.canParse(remote)) return fail("it is not a valid URL");
  const fragment = splitFragment(hash < 0 ? "" : text.slice(hash + 1));
  const query = readQuery(mark < 0 ? "" : beforeHash.slice(mark + 1), fail);
  const { ref: queryRef, subdir: querySubdir, ...rest } = query;
  const ref = agree("ref", fragment.ref, queryRef, fail) ?? rest.commit;
  const subdir = agree("subdir", fragment.subdir, querySubdir, fail);
  if (rest.fetchByCommit === true && !isCommitId(rest.commit ?? "")) {
    return fail('"fetch-by-commit" needs "commit" with all its digits');
  }
  return {
    transport: transportOf(remote),
    remote,
    ...(ref === undefined ? {} : { ref }),
    ...(subdir === undefined ? {} : { subdir }),
    ...rest,
  };
}

/** Whether `text` is all 40 digits of a commit. */
export function isCommitId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Whether `text` is the beginning of a commit that is long enough to mean one. */
export function isCommitPrefix(text: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(text);
}

/** The text of `reference` for people: no login, no query. */
export function formatGitReference({ remote, ref, subdir }: GitReference): string {
  const place = subdir === undefined ? ref ?? "" : `${ref ?? ""}:${subdir}`;
  return redactCredentials(remote) + (place === "" ? "" : `#${place}`);
}

type Fail = (reason: string) => never;
type GitOptions = Omit<GitReference, "transport" | "remote">;

function transportOf(remote: string): GitTransport {
  if (/^https?:/i.test(remote)) return "http";
  return /^git:/i.test(remote) ? "git" : "ssh";
}

function splitFragment(fragment: string): { readonly ref?: string; readonly subdir?: string } {
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const subdir = colon < 0 ? "" : fragment.slice(colon + 1);
  return { ...(ref === "" ? {} : { ref }), ...(subdir === "" ? {} : { subdir }) };
}

function readQuery(query: string, fail: Fail): GitOptions {
  const values = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (values.has(key)) fail(`"${key}" stands twice in its query`);
    if (value === "") fail(`"${key}" of its query has no value`);
    values.set(key, value);
  }
  const ref = readRef(values, fail);
  const subdir = values.get("subdir");
  const commit = agree("commit", values.get("checksum"), values.get("commit"), fail)?.toLowerCase();
  if (commit !== undefined && !isCommitPrefix(commit)) fail(`"${commit}" is not a commit: expected 7 to 64 hex digits`);
  const mtime = values.get("mtime");
  if (mtime !== undefined && mtime !== "checkout" && mtime !== "commit") {
    return fail(`"mtime" is "${mtime}", expected "checkout" or "commit"`);
  }
  const unknown = [...values.keys()].find((key) => !QUERY_KEYS.has(key));
  if (unknown !== undefined) fail(`its query has an unknown key "${unknown}"`);
  return {
    ...(ref === undefined ? {} : { ref }),
    ...(subdir === undefined ? {} : { subdir }),
    ...(commit === undefined ? {} : { commit }),
    ...(mtime === undefined ? {} : { mtime }),
    ...flag("keepGitDir", values.get("keep-git-dir"), fail),
    ...flag("submodules", values.get("submodules"), fail),
    ...flag("fetchByCommit", values.get("fetch-by-commit"), fail),
  };
}

const QUERY_KEYS: ReadonlySet<string> = new Set([
  "ref",
  "tag",
  "branch",
  "subdir",
  "checksum",
  "commit",
  "keep-git-dir",
  "submodules",
  "mtime",
  "fetch-by-commit",
]);

function readRef(values: ReadonlyMap<string, string>, fail: Fail): string | undefined {
  const tag = values.get("tag");
  const branch = values.get("branch");
  const full = (prefix: string, name: string | undefined): string | undefined =>
    name === undefined || name.startsWith(prefix) ? name : prefix + name;
  const named = agree("ref", full("refs/tags/", tag), full("refs/heads/", branch), fail);
  return agree("ref", values.get("ref"), named, fail);
}

function flag<K extends string>(key: K, value: string | undefined, fail: Fail): { readonly [P in K]?: boolean } {
  if (value === undefined) return {};
  if (!/^(?:1|0|t|f|true|false)$/i.test(value)) fail(`"${value}" is neither true nor false`);
  return { [key]: /^(?:1|t)/i.test(value) } as { readonly [P in K]?: boolean };
}

/** The one of two texts that is there. */
function agree(what: string, first: string | undefined, second: string | undefined, fail: Fail): string | undefined {
  if (first !== undefined && second !== undefined && first !== second) {
    fail(`it names two values for "${what}": "${first}" and "${second}"`);
  }
  return first ?? second;
}
