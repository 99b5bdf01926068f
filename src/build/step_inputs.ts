/** What a step takes from outside its stage: files of the context, of stages and images, and what is fetched for it. */
import type { LayerStep, StepInput } from "../cache/cache_key.ts";
import type { CopySource, Step } from "../plan/plan.ts";
import type { RemoteSource } from "../plan/remote_source.ts";
import { copyDigest, type CopySelection, FileDigests } from "../rootfs/copy_digest.ts";
import type { CopyTree } from "../rootfs/copy_source.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";
import { copySource } from "./copy_source.ts";

/** Files of one place. */
type TakenFiles =
  | { readonly kind: "source"; readonly source: CopySource; readonly selection: CopySelection }
  | { readonly kind: "remote"; readonly remote: RemoteSource; readonly selection: CopySelection };

/** Where files of a stage come from for the key: its own key, or the files themselves. */
export type StageInput = (stageIndex: number, selection: CopySelection) => Promise<StepInput>;

const NOTHING_KEPT: ReadonlyMap<number, Rootfs> = new Map();
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** The stages that the step takes files from. */
export function stageSources(step: Step): readonly number[] {
  if (step.kind !== "run" && step.kind !== "copy") return [];
  const taken = takenFiles(step).map((files) => files.kind === "source" ? files.source : undefined);
  const all = step.kind === "copy" ? [...taken, step.source] : taken;
  return [...new Set(all.flatMap((source) => source?.kind === "stage" ? [source.stageIndex] : []))];
}

/** Digests of what steps take, each computed once in a build. */
export class StepInputs {
  readonly #session: BuildSession;
  readonly #files = new FileDigests();
  readonly #known = new Map<TakenFiles, Promise<StepInput>>();
  readonly #taken = new WeakMap<LayerStep, readonly TakenFiles[]>();

  constructor(session: BuildSession) {
    this.#session = session;
  }

  /** The inputs of `step`, in its order; `stage` gives those that are a stage's. Throws what copying would. */
  async of(step: LayerStep, stage: StageInput): Promise<readonly StepInput[]> {
    const taken = this.#taken.get(step) ?? takenFiles(step);
    this.#taken.set(step, taken);
    const inputs: StepInput[] = [];
    for (const files of taken) inputs.push(await this.#input(files, stage));
    return inputs;
  }

  /** The digest of files of a stage that is done. */
  async stageFiles(
    stageIndex: number,
    selection: CopySelection,
    kept: ReadonlyMap<number, Rootfs>,
  ): Promise<StepInput> {
    const tree = await copySource({ kind: "stage", stageIndex }, kept, this.#session);
    return await this.#digest(selection, tree);
  }

  #input(files: TakenFiles, stage: StageInput): Promise<StepInput> {
    const { selection } = files;
    if (files.kind === "source" && files.source.kind === "stage") return stage(files.source.stageIndex, selection);
    const known = this.#known.get(files);
    if (known !== undefined) return known;
    const input = files.kind === "remote"
      ? this.#remote(files.remote, selection)
      : this.#source(files.source, selection);
    this.#known.set(files, input);
    input.catch(() => this.#known.delete(files));
    return input;
  }

  async #source(source: CopySource, selection: CopySelection): Promise<StepInput> {
    if (source.kind === "image") return { kind: "image", digest: source.image.digest };
    return await this.#digest(selection, await copySource(source, NOTHING_KEPT, this.#session));
  }

  /** What a checksum or a commit pins need not be fetched. */
  async #remote(remote: RemoteSource, selection: CopySelection): Promise<StepInput> {
    const isPinned = remote.kind === "url" ? remote.checksum !== undefined : COMMIT.test(remote.reference.commit ?? "");
    if (isPinned) return { kind: "none" };
    const { tree, path } = await this.#session.remotes.fetched(remote, this.#session);
    return await this.#digest({ ...selection, patterns: [literalPattern(path)] }, tree);
  }

  async #digest(selection: CopySelection, tree: CopyTree): Promise<StepInput> {
    const digest = await copyDigest(selection, tree, this.#files, this.#session.services.signal);
    return { kind: "files", digest };
  }
}

function takenFiles(step: LayerStep): readonly TakenFiles[] {
  switch (step.kind) {
    case "workdir":
      return [];
    case "run":
      return (step.mounts ?? []).flatMap((mount) => {
        if (!("from" in mount) || mount.from === undefined) return [];
        const selection = { patterns: [literalPattern(mount.source)], exclude: [], parents: false };
        return [{ kind: "source", source: mount.from, selection }];
      });
    case "copy": {
      const { source, remotes = [] } = step;
      const selection: CopySelection = step;
      const isSourceUsed = step.patterns.length > 0;
      return [
        ...isSourceUsed ? [{ kind: "source" as const, source, selection }] : [],
        ...remotes.map((remote) => ({ kind: "remote" as const, remote, selection: { ...selection, parents: false } })),
      ];
    }
  }
}

/** The pattern that only `path` itself matches. */
function literalPattern(path: string): string {
  return /[*?[]/.test(path) ? path.replace(/[*?[\\]/g, (char) => char === "\\" ? "\\\\" : `[${char}]`) : path;
}
