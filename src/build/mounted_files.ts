/** Files of the context, a stage or an image for a mount: found, shown as they are where that is right, or copied. */
import { ContextError } from "../context/context_error.ts";
import type { PathPatterns } from "../context/path_patterns.ts";
import { decompressAny } from "../layer/compression.ts";
import { copyInto } from "../rootfs/copy_into.ts";
import { CopySource, type CopySourceNode, type CopyTree } from "../rootfs/copy_source.ts";
import { Rootfs } from "../rootfs/rootfs.ts";
import { changeMode, changeOwner, setTimes } from "../sys/inode.ts";
import { baseName, joinPath, parentPath, pathText, type RawPath } from "../sys/raw_path.ts";
import { AT_CWD, type StatBuffer } from "../sys/stat.ts";
import { walk } from "../sys/walk.ts";
import type { BuildSession } from "./build_session.ts";

/** One folder or file of a tree. */
export interface MountedFiles {
  readonly isFolder: boolean;
  /** Where it is on the machine, if what is there looks as a copy of it would. */
  readonly shareable: RawPath | undefined;
  /** Writes a copy to `place`, which is not there yet; its parent is. */
  copyTo(place: RawPath): Promise<void>;
}

/** What copying needs of a session. */
export type CopyingSession = Pick<BuildSession, "hasher" | "services">;

/** Finds `path` (absolute, no pattern) in `tree`. Throws ContextError when it is not there or no folder and no file. */
export function findFiles(path: string, tree: CopyTree, session: CopyingSession): MountedFiles {
  const found = findNode(path, tree);
  const { type } = found.node;
  if (type !== "directory" && type !== "file") throw unmountable(path, `it is a ${type}`);
  const host = new Rootfs(tree.root, []).hostPath(found.path);
  const isFolder = type === "directory";
  return {
    isFolder,
    shareable: tree.keepsOwner || looksAsCopied(host, found, tree.filter) ? host : undefined,
    copyTo: (place) => copyNode({ path, tree, found }, place, session),
  };
}

/** Copies the folder `source` of the machine to `place`, which is not there yet, with owners, links and attributes. */
export async function copyFolder(source: RawPath, place: RawPath, session: CopyingSession): Promise<void> {
  await findFiles("/", { root: source, keepsOwner: true }, session).copyTo(place);
}

function findNode(path: string, tree: CopyTree): CopySourceNode {
  try {
    const [found] = new CopySource(tree).find(literalPattern(path));
    if (found !== undefined) return found;
  } catch (error: unknown) {
    if (!(error instanceof ContextError)) throw error;
    throw unmountable(path, error.reason, error);
  }
  throw unmountable(path, "not found");
}

/** The pattern that only `path` itself matches. */
function literalPattern(path: string): string {
  return /[*?[]/.test(path) ? path.replace(/[*?[\\]/g, (char) => char === "\\" ? "\\\\" : `[${char}]`) : path;
}

function unmountable(path: string, reason: string, cause?: ContextError): ContextError {
  return new ContextError({ action: "mount", source: path, reason }, { cause, hint: cause?.hint });
}

interface FoundFiles {
  readonly path: string;
  readonly tree: CopyTree;
  readonly found: CopySourceNode;
}

async function copyNode({ path, tree, found }: FoundFiles, place: RawPath, session: CopyingSession): Promise<void> {
  const { hasher, services: { log, signal } } = session;
  const parent = new Rootfs(parentPath(place), []);
  const request = {
    instruction: "COPY",
    patterns: [literalPattern(path)],
    inlineFiles: [],
    destination: `/${pathText(baseName(place))}`,
    exclude: [],
    unpack: false,
    parents: false,
  } as const;
  const { mtimeNs, mode } = found.node;
  const options = { hasher, known: new Map(), decompress: decompressAny, log, signal, implicitTimeNs: mtimeNs };
  await copyInto(request, tree, parent, options);
  if (found.node.type !== "directory") return;
  const owner = tree.keepsOwner ? found.node : { uid: 0, gid: 0 };
  changeOwner(AT_CWD, place, owner.uid, owner.gid);
  changeMode(AT_CWD, place, mode);
  setTimes(AT_CWD, place, mtimeNs);
}

/** Whether nothing is hidden, everything belongs to root as in a copy, and nothing is mounted inside. */
function looksAsCopied(host: RawPath, { path, node }: CopySourceNode, filter: PathPatterns | undefined): boolean {
  const isPlain = (at: Pick<StatBuffer, "uid" | "gid" | "dev">): boolean =>
    at.uid === 0 && at.gid === 0 && at.dev === node.dev;
  if (!isPlain(node)) return false;
  if (node.type !== "directory") return true;
  let isSame = true;
  const levels = [path];
  walk(host, {
    enter(name, stat): boolean {
      const inner = joinPath(levels.at(-1) ?? path, name);
      isSame &&= isPlain(stat) && filter?.matches(inner.slice(1) as RawPath) !== true;
      const isEntered = isSame && stat.type === "directory";
      if (isEntered) levels.push(inner);
      return isEntered;
    },
    leave(): void {
      levels.pop();
    },
  });
  return isSame;
}
