/**
 * Trees as text for tests of COPY: a record from path to node. "f:text" is a file, "d" a directory, "l:target" a symlink,
 * "h:/path" another name of a file, "p" a fifo, "c:1,3" a device. "@600" after it is the mode (else 644, 755 for directories),
 * "@5:6" the owner (else 0:0).
 */
import { parseDockerignore } from "../../src/context/dockerignore.ts";
import { decompressAny } from "../../src/layer/compression.ts";
import type { Logger } from "../../src/log/logger.ts";
import { type ContentHash, createContentHasher } from "../../src/rootfs/content_hash.ts";
import { copyInto, type CopyRequest } from "../../src/rootfs/copy_into.ts";
import type { CopyTree } from "../../src/rootfs/copy_source.ts";
import { Rootfs } from "../../src/rootfs/rootfs.ts";
import { changeMode, changeOwner, hardLink, makeNode, readLink, setTimes, symlink } from "../../src/sys/inode.ts";
import { libc } from "../../src/sys/libc.ts";
import { joinPath, parentPath, pathText, type RawPath, rawPath } from "../../src/sys/raw_path.ts";
import { AT_CWD, type Inode, lstat } from "../../src/sys/stat.ts";
import { listDirectory } from "../../src/sys/walk.ts";

libc(); // Stays open for the process's life, so it is opened outside of any test: Deno 2.4 would call it a leak of that one.

export type TreeText = Readonly<Record<string, string>>;

/** The mtime of everything in a source. */
export const SOURCE_MTIME_NS = 1_000_000_000_123_456_789n;

export interface SceneOptions {
  readonly source?: TreeText;
  readonly root?: TreeText;
  /** Lines of .dockerignore; the source is a context unless `isStage`. */
  readonly ignore?: readonly string[];
  readonly isStage?: boolean;
  readonly protectedPaths?: readonly string[];
}

/** A source tree, a rootfs, and a neighbour that nothing may touch, in a temporary folder. */
export class CopyScene implements Disposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "kiln-copy-" });
  readonly rootfs: Rootfs;
  readonly known: Map<bigint, ContentHash> = new Map();
  readonly log: string[] = [];
  readonly tree: CopyTree;

  constructor(options: SceneOptions = {}) {
    for (const name of ["source", "root", "outside"]) Deno.mkdirSync(`${this.folder}/${name}`);
    Deno.writeTextFileSync(`${this.folder}/outside/secret`, "secret");
    makeTree(`${this.folder}/source`, options.source ?? {}, SOURCE_MTIME_NS);
    makeTree(`${this.folder}/root`, options.root ?? {}, undefined);
    this.rootfs = new Rootfs(rawPath(`${this.folder}/root`), (options.protectedPaths ?? []).map(rawPath));
    this.tree = {
      root: rawPath(`${this.folder}/source`),
      keepsOwner: options.isStage === true,
      filter: options.ignore && parseDockerignore(new TextEncoder().encode(options.ignore.join("\n"))),
    };
  }

  /** Performs a COPY, or what `step` says; gives the paths written. */
  async copy(step: Partial<CopyRequest>, tree: CopyTree = this.tree): Promise<readonly string[]> {
    const request: CopyRequest = {
      instruction: "COPY",
      patterns: [],
      inlineFiles: [],
      destination: "/",
      exclude: [],
      unpack: false,
      parents: false,
      ...step,
    };
    const written = await copyInto(request, tree, this.rootfs, {
      hasher: await createContentHasher(),
      known: this.known,
      decompress: async (stream) => await decompressAny(stream),
      log: recordingLogger(this.log),
      signal: new AbortController().signal,
      implicitTimeNs: 0n,
    });
    return written.map(pathText);
  }

  /** The rootfs as text. */
  root(): TreeText {
    return describeFolder(rawPath(`${this.folder}/root`));
  }

  outside(): TreeText {
    return describeFolder(rawPath(`${this.folder}/outside`));
  }

  node(inner: string): Inode | undefined {
    return this.rootfs.lstat(rawPath(inner));
  }

  hostPath(inner: string): string {
    return `${this.folder}/root${inner}`;
  }

  sourcePath(inner: string): string {
    return `${this.folder}/source${inner}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** A logger that keeps "level message" lines. */
export function recordingLogger(lines: string[]): Logger {
  const at = (level: string) => (message: string): void => void lines.push(`${level} ${message}`);
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: () => logger,
  };
  return logger;
}

/** Makes the nodes below `folder`, missing directories with them; directories get their times last. */
export function makeTree(folder: string, tree: TreeText, mtimeNs: bigint | undefined): void {
  const made: RawPath[] = [];
  for (const [path, text] of Object.entries(tree)) {
    const host = rawPath(folder + path);
    Deno.mkdirSync(pathText(parentPath(host)), { recursive: true });
    const [kind = "", ...attributes] = text.split("@");
    makeOne(folder, host, kind);
    const [uid = 0, gid = 0] = attributes.find((part) => part.includes(":"))?.split(":").map(Number) ?? [];
    const mode = attributes.find((part) => !part.includes(":"));
    if (!kind.startsWith("h:")) changeOwner(AT_CWD, host, uid, gid);
    const isPlain = !kind.startsWith("l:") && !kind.startsWith("h:");
    if (isPlain) changeMode(AT_CWD, host, mode === undefined ? kind === "d" ? 0o755 : 0o644 : parseInt(mode, 8));
    made.push(host);
  }
  if (mtimeNs === undefined) return;
  for (const path of everyPath(rawPath(folder)).reverse()) setTimes(AT_CWD, path, mtimeNs);
}

function makeOne(folder: string, host: RawPath, kind: string): void {
  if (kind === "d") Deno.mkdirSync(pathText(host), { recursive: true });
  else if (kind === "p") makeNode(AT_CWD, host, { type: "fifo", mode: 0o600, rdevMajor: 0, rdevMinor: 0 });
  else if (kind.startsWith("l:")) symlink(AT_CWD, host, rawPath(kind.slice(2)));
  else if (kind.startsWith("h:")) hardLink(AT_CWD, host, AT_CWD, rawPath(folder + kind.slice(2)));
  else if (kind.startsWith("c:")) {
    const [rdevMajor = 0, rdevMinor = 0] = kind.slice(2).split(",").map(Number);
    makeNode(AT_CWD, host, { type: "char", mode: 0o600, rdevMajor, rdevMinor });
  } else Deno.writeTextFileSync(pathText(host), kind.slice(2));
}

function everyPath(folder: RawPath): RawPath[] {
  return listDirectory(folder).flatMap((name) => {
    const path = joinPath(folder, name);
    return lstat(path)?.type === "directory" ? [path, ...everyPath(path)] : [path];
  });
}

/** Everything below the folder on the machine, as text. */
export function describeFolder(folder: RawPath): TreeText {
  const firstNames = new Map<bigint, string>();
  const nodes = everyPath(folder).map((path): [string, string] => {
    const inner = pathText(path.slice(folder.length) as RawPath);
    const node = lstat(path);
    return [inner, node === undefined ? "gone" : describeNode(path, inner, node, firstNames)];
  });
  return Object.fromEntries(nodes);
}

function describeNode(path: RawPath, inner: string, node: Inode, firstNames: Map<bigint, string>): string {
  const first = firstNames.get(node.ino);
  if (first !== undefined) return `h:${first}`;
  if (node.nlink > 1 && node.type !== "directory") firstNames.set(node.ino, inner);
  const isDefaultMode = node.type === "symlink" || node.mode === (node.type === "directory" ? 0o755 : 0o644);
  const mode = isDefaultMode ? "" : `@${node.mode.toString(8)}`;
  const owner = node.uid === 0 && node.gid === 0 ? "" : `@${node.uid}:${node.gid}`;
  return kindText(path, node) + mode + owner;
}

function kindText(path: RawPath, node: Inode): string {
  switch (node.type) {
    case "file":
      return `f:${Deno.readTextFileSync(pathText(path))}`;
    case "directory":
      return "d";
    case "symlink":
      return `l:${pathText(readLink(AT_CWD, path))}`;
    case "char":
      return `c:${node.rdevMajor},${node.rdevMinor}`;
    case "fifo":
      return "p";
    default:
      return node.type;
  }
}
