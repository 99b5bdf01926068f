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
  "instruction" | "patterns" | "inlineFiles" | "destination" | "chown" | "chmod" | "exclude" | "unpack"
>;

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
  readonly #copier: TreeCopier;
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
    this.#copier = new TreeCopier(source, this.#writer, this.#rules);
  }

  get written(): readonly RawPath[] {
    return this.#writer.written;
  }

  finish(): void {
    this.#writer.finishDirectories();
  }

  async copySources(): Promise<void> {
    const found = this.#step.patterns.flatMap((pattern) => this.#source.find(pattern));
    for (const source of found) {
      this.#options.signal.throwIfAborted();
      if (source.node.type === "directory") await this.#copyDirectory(source);
      else if (await this.#isUnpacked(source)) await this.#unpack(source);
      else this.#copier.copyNode(source, this.#target.forFile(source.name));
    }
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

  async #copyDirectory(source: CopySourceNode): Promise<void> {
    const inner = this.#target.forDirectory();
    let turnStart = performance.now();
    for (const _ of this.#copier.copyContents(source, inner)) {
      if (performance.now() - turnStart < TURN_MS) continue;
      await this.#rest();
      turnStart = performance.now();
    }
    if (this.#writer.hasWritten(inner)) this.#writer.setDirectoryTime(inner, source.node.mtimeNs);
  }

  async #isUnpacked(source: CopySourceNode): Promise<boolean> {
    if (this.#step.instruction !== "ADD" || !this.#step.unpack || source.node.type !== "file") return false;
    const { decompress, signal } = this.#options;
    return await isArchive(this.#source.tree.hostPath(source.path), decompress, signal);
  }

  async #unpack(source: CopySourceNode): Promise<void> {
    const archive = pathText(source.path);
    const destination = this.#archiveTarget.forDirectory();
    const stream = await openArchive(this.#source.tree.hostPath(source.path), this.#options.decompress);
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
