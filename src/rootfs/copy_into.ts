/**
 * COPY and ADD: puts the files a step names into the rootfs. All sources are found before anything is written. Source of
 * the rules: the Dockerfile reference, COPY and ADD; BuildKit where that is silent.
 */
import { ContextError } from "../context/context_error.ts";
import { compilePathPatterns } from "../context/path_patterns.ts";
import { FormatError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import type { CopyStep } from "../plan/plan.ts";
import { baseName, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { unlink } from "../sys/inode.ts";
import { AT_CWD } from "../sys/stat.ts";
import { type Decompress, isArchive, openArchive } from "./archive_probe.ts";
import type { ContentHasher, KnownContents } from "./content_hash.ts";
import { findParents } from "./copy_parents.ts";
import { CopySource, type CopySourceNode, type CopyTree } from "./copy_source.ts";
import { CopyTarget } from "./copy_target.ts";
import { type CopyRules, TreeCopier } from "./copy_tree.ts";
import { CopyWriter, NO_NODE_XATTRS, placeOf } from "./copy_writer.ts";
import { type Owner, resolveChown } from "./owner.ts";
import type { Rootfs } from "./rootfs.ts";
import { parseModeChange } from "./symbolic_mode.ts";
import { unpackArchive } from "./unpack_archive.ts";

/** What copying needs to know of a COPY or ADD. */
export type CopyRequest = Pick<
  CopyStep,
  "instruction" | "patterns" | "inlineFiles" | "destination" | "chown" | "chmod" | "exclude" | "unpack" | "parents"
>;

/** One source that was fetched from elsewhere, as a path in a tree of its own. */
export interface FetchedSource {
  /** How many of the step's patterns come before it. */
  readonly position: number;
  readonly tree: CopyTree;
  /** Inner path in `tree`, no pattern. */
  readonly path: RawPath;
  /** Whether it is unpacked when it is an archive. */
  readonly unpack: boolean;
}

/** What copying works with. */
export interface CopyOptions {
  readonly hasher: ContentHasher;
  /** Takes the content hash of each file written, by inode number. */
  readonly known: KnownContents;
  readonly decompress: Decompress;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Time of heredoc files and of directories that are made on the way, nanoseconds since 1970. */
  readonly implicitTimeNs: bigint;
  /** What the step adds besides its patterns, in their order. */
  readonly fetched?: readonly FetchedSource[];
}

/** One node to copy, and how. */
interface CopyPart {
  readonly source: CopySource;
  readonly node: CopySourceNode;
  readonly copier: TreeCopier;
  readonly unpack: boolean;
}

const ROOT_OWNER: Owner = { uid: 0, gid: 0 };
const PARENT_MODE = 0o755;
const INLINE_MODE = 0o644;
/** How long copying may keep the program from attending to other things. */
const TURN_MS = 50;

/**
 * Performs `step` with files of `source`. Gives the inner paths that were made or replaced, each once, in the order of
 * writing; `changesOf` turns them into a layer's entries. Throws ContextError for sources that are missing or do not fit,
 * FormatError for flags and archives that make no sense, UnsupportedError for a destination that is no part of the image,
 * SystemError for what the system refuses. What was written before a failure stays.
 */
export async function copyInto(
  step: CopyRequest,
  source: CopyTree,
  rootfs: Rootfs,
  options: CopyOptions,
): Promise<readonly RawPath[]> {
  const copy = new Copying(step, new CopySource(source), rootfs, options);
  await copy.copySources();
  copy.writeInlineFiles();
  copy.finish();
  return copy.written;
}

/** One COPY or ADD in progress. */
class Copying {
  readonly #step: CopyRequest;
  readonly #source: CopySource;
  readonly #options: CopyOptions;
  readonly #writer: CopyWriter;
  readonly #target: CopyTarget;
  readonly #archiveTarget: CopyTarget;
  readonly #chown: Owner | undefined;
  readonly #rules: CopyRules;

  constructor(step: CopyRequest, source: CopySource, rootfs: Rootfs, options: CopyOptions) {
    this.#step = step;
    this.#source = source;
    this.#options = options;
    this.#writer = new CopyWriter(rootfs, options);
    this.#chown = step.chown ? resolveChown(rootfs, step.chown) : undefined;
    const mode = step.chmod ? parseModeChange(step.chmod) : undefined;
    const owner = this.#chown ?? (source.keepsOwner ? undefined : ROOT_OWNER);
    const exclude = step.exclude.length > 0 ? compilePathPatterns(step.exclude.map(rawPath)) : undefined;
    this.#rules = { owner, mode, exclude };
    const parents = { ...(this.#chown ?? ROOT_OWNER), mode: mode?.octal ?? PARENT_MODE };
    this.#target = new CopyTarget(this.#writer, step.destination, parents);
    this.#archiveTarget = new CopyTarget(this.#writer, step.destination, { ...parents, mode: PARENT_MODE });
  }

  get written(): readonly RawPath[] {
    return this.#writer.written;
  }

  finish(): void {
    this.#writer.finishDirectories();
  }

  async copySources(): Promise<void> {
    for (const part of this.#findParts()) {
      this.#options.signal.throwIfAborted();
      this.#writer.forgetCopies(); // Hard links are kept within one source, as BuildKit does.
      if (part.node.node.type === "directory") await this.#copyDirectory(part);
      else if (await this.#isUnpacked(part)) await this.#unpack(part);
      else part.copier.copyNode(part.node, this.#target.forFile(part.node.name));
    }
  }

  /** All sources in the order of the instruction. */
  #findParts(): readonly CopyPart[] {
    const { patterns } = this.#step;
    const fetched = this.#options.fetched ?? [];
    const copier = this.#copierOf(this.#source, this.#rules);
    const parts = patterns.flatMap((pattern, index) => [
      ...fetched.filter(({ position }) => position === index).map((source) => this.#fetchedPart(source)),
      ...this.#localParts(pattern, copier),
    ]);
    const last = fetched.filter(({ position }) => position >= patterns.length);
    return [...parts, ...last.map((source) => this.#fetchedPart(source))];
  }

  #localParts(pattern: string, copier: TreeCopier): readonly CopyPart[] {
    const source = this.#source;
    const { instruction, unpack, parents } = this.#step;
    if (!parents) {
      const isUnpacked = instruction === "ADD" && unpack;
      return source.find(pattern).map((node) => ({ source, node, copier, unpack: isUnpacked }));
    }
    return findParents(pattern, source, this.#rules.exclude).map(({ directory, exclude }) => {
      return { source, node: directory, copier: this.#copierOf(source, { ...this.#rules, exclude }), unpack: false };
    });
  }

  #fetchedPart({ tree, path, unpack }: FetchedSource): CopyPart {
    const source = new CopySource(tree);
    const copier = this.#copierOf(source, { ...this.#rules, owner: this.#chown ?? ROOT_OWNER });
    return { source, node: source.at(path), copier, unpack };
  }

  #copierOf(source: CopySource, rules: CopyRules): TreeCopier {
    return new TreeCopier(source, this.#writer, rules);
  }

  /** Files from heredocs come last, wherever they stand in the instruction. */
  writeInlineFiles(): void {
    for (const { name, content } of this.#step.inlineFiles) {
      const fileName = baseName(rawPath(name));
      if (fileName === "" || fileName === "." || fileName === "..") {
        throw new ContextError({ action: "write heredoc", source: name, reason: "it cannot be the name of a file" });
      }
      const inner = this.#target.forFile(fileName);
      const place = placeOf(this.#writer.rootfs, inner);
      const existing = this.#writer.rootfs.lstat(inner);
      if (existing?.type === "directory") {
        throw new ContextError({ action: "copy a file to", source: pathText(inner), reason: "a directory is there" });
      }
      if (existing !== undefined) unlink(AT_CWD, place.name);
      const mode = this.#rules.mode?.apply(INLINE_MODE, false) ?? INLINE_MODE;
      const metadata = {
        ...(this.#chown ?? ROOT_OWNER),
        mode,
        mtimeNs: this.#options.implicitTimeNs,
        xattrs: NO_NODE_XATTRS,
      };
      this.#writer.writeFile(place, new TextEncoder().encode(content), metadata);
    }
  }

  async #copyDirectory({ source: { keepsOwner }, node: source, copier }: CopyPart): Promise<void> {
    const inner = this.#target.forDirectory();
    let turnStart = performance.now();
    for (const _ of copier.copyContents(source, inner)) {
      if (performance.now() - turnStart < TURN_MS) continue;
      await this.#rest();
      turnStart = performance.now();
    }
    // BuildKit gives it to directories that were there, too; of a context it does not know the time of the root.
    const isWholeContext = source.path === "/" && !keepsOwner;
    const isTimed = this.#step.parents ? this.#writer.hasWritten(inner) : !isWholeContext;
    if (isTimed) this.#writer.setDirectoryTime(inner, source.node.mtimeNs);
  }

  async #isUnpacked({ source, node, unpack }: CopyPart): Promise<boolean> {
    if (!unpack || node.node.type !== "file") return false;
    const { decompress, signal } = this.#options;
    return await isArchive(source.tree.hostPath(node.path), decompress, signal);
  }

  async #unpack({ source, node }: CopyPart): Promise<void> {
    const archive = pathText(node.path);
    const destination = this.#archiveTarget.forDirectory();
    const stream = await openArchive(source.tree.hostPath(node.path), this.#options.decompress);
    const request = { archive, destination, owner: this.#chown, signal: this.#options.signal };
    try {
      await unpackArchive(stream, request, this.#writer);
    } catch (error: unknown) {
      if (!(error instanceof FormatError)) throw error;
      throw new ContextError({ action: "unpack", source: archive, reason: error.message }, { cause: error });
    }
  }

  /** Lets timers, streams and signals have their turn. */
  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#options.signal.throwIfAborted();
  }
}
