/** What git's commits, tags and trees say: the bytes of an object in, facts out. Pure. Source: gitformat-pack(5), git-mktree. */
import { FormatError } from "../errors.ts";
import { pathText, type RawPath } from "../sys/raw_path.ts";

/** One name in a tree. */
export interface GitTreeEntry {
  readonly kind: "file" | "program" | "symlink" | "tree" | "commit";
  readonly name: RawPath;
  readonly id: string;
}

/** The facts of a commit. */
export interface GitCommit {
  readonly tree: string;
  /** Seconds since 1970. */
  readonly committedAt: number;
}

const ID_BYTES = 20;
const SPACE = 0x20;
const KINDS: ReadonlyMap<string, GitTreeEntry["kind"]> = new Map([
  ["40000", "tree"],
  ["040000", "tree"],
  ["120000", "symlink"],
  ["160000", "commit"],
  ["100755", "program"],
]);

/** Reads a tree. Throws FormatError for names that no folder can have, or that git forbids. */
export function parseGitTree(bytes: Uint8Array): readonly GitTreeEntry[] {
  const entries: GitTreeEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(SPACE, at);
    const nul = bytes.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + ID_BYTES >= bytes.length) {
      throw new FormatError("Cannot read git tree: it is cut off");
    }
    const mode = latin1(bytes.subarray(at, space));
    const name = latin1(bytes.subarray(space + 1, nul)) as RawPath;
    if (!/^[0-7]{5,6}$/.test(mode)) throw new FormatError(`Cannot read git tree: "${pathText(name)}" has no mode`);
    checkName(name);
    const id = hex(bytes.subarray(nul + 1, nul + 1 + ID_BYTES));
    entries.push({ kind: KINDS.get(mode) ?? (mode.startsWith("1007") ? "program" : "file"), name, id });
    at = nul + 1 + ID_BYTES;
  }
  return entries;
}

/** Reads a commit. Throws FormatError. */
export function parseGitCommit(bytes: Uint8Array): GitCommit {
  const header = headerOf(bytes);
  const tree = /^tree ([0-9a-f]{40})$/m.exec(header)?.[1];
  const time = /^committer .*> (\d{1,12}) [+-]\d{4}$/m.exec(header)?.[1];
  if (tree === undefined) throw new FormatError("Cannot read git commit: it names no tree");
  return { tree, committedAt: Number(time ?? 0) };
}

/** Reads an annotated tag: the object it stands for. Throws FormatError. */
export function parseGitTag(bytes: Uint8Array): string {
  const object = /^object ([0-9a-f]{40})$/m.exec(headerOf(bytes))?.[1];
  if (object === undefined) throw new FormatError("Cannot read git tag: it names no object");
  return object;
}

/** Git itself refuses these names, as a checkout would write outside of its folder or into its own. */
function checkName(name: RawPath): void {
  const isForbidden = name === "" || name === "." || name === ".." || name.includes("/") || /^\.git$/i.test(name);
  if (isForbidden) throw new FormatError(`Cannot read git tree: "${pathText(name)}" is not a name for a file`);
}

function headerOf(bytes: Uint8Array): string {
  const text = latin1(bytes.subarray(0, 64 * 1024));
  const end = text.indexOf("\n\n");
  return end < 0 ? text : text.slice(0, end);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
