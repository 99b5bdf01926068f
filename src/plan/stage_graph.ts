/**
 * Which stage needs which: by FROM, and by COPY --from and RUN --mount=from of its own instructions and of
 * the ONBUILD triggers it runs. From
 * that, what the target needs, and the faults of such references. Source: Dockerfile reference, multi-stage builds.
 */
import { DockerfileError, type SourceRange, type Stage, type StageInstruction } from "../dockerfile/instruction.ts";
import { suggestHint } from "../dockerfile/suggest.ts";
import { OptionError } from "./option_error.ts";
import { mountFrom } from "./mount_options.ts";

/** A stage as far as its dependencies go. */
export interface GraphStage {
  readonly stage: Stage;
  /** The stage that FROM names. */
  readonly baseStage?: number;
  /** What the stage runs, triggers of its base first. */
  readonly instructions: readonly StageInstruction[];
}

/** Something of an instruction that names a stage or an image to take files from. */
export interface FilesReference {
  readonly from?: string | undefined;
  /** The instruction, or RUN's mount. */
  readonly kind: "COPY" | "ADD" | "RUN";
  readonly range: SourceRange;
}

/** What `--from` means: nothing (the context), a stage, or an image by its name. */
export type CopyOrigin =
  | { readonly kind: "context" }
  | { readonly kind: "stage"; readonly stageIndex: number }
  | { readonly kind: "image"; readonly name: string };

interface Dependency {
  /** What it is for: "copy" or "mount"; FROM cannot name a later stage. */
  readonly verb: string;
  readonly stageIndex: number;
  readonly range: SourceRange;
}

/** Finds the stage to build by name (any case) or index; the last when `target` is undefined. Throws OptionError. */
export function findTarget(stages: readonly Stage[], target: string | undefined): number {
  if (target === undefined) return stages.length - 1;
  const name = target.toLowerCase();
  const byName = stages.findLastIndex((stage) => stage.from.stageName === name);
  if (byName >= 0) return byName;
  if (/^\d+$/.test(target) && Number(target) < stages.length) return Number(target);
  const hint = suggestHint(target, stageNames(stages));
  throw new OptionError(`Cannot build target "${target}": there is no such stage`, { hint });
}

/** Finds the stage that FROM of stage `before` names: by exact name, among earlier ones, the latest of equal names. */
export function findBaseStage(stages: readonly Stage[], image: string, before: number): number | undefined {
  for (let index = before - 1; index >= 0; index--) {
    if (stages[index]?.from.stageName === image) return index;
  }
  return undefined;
}

/**
 * Tells what `--from` of an instruction of stage `current` means. Stages go by name (any case) or index; any other text is
 * an image. Throws DockerfileError for an index that does not exist.
 */
export function copyOrigin(stages: readonly Stage[], current: number, reference: FilesReference): CopyOrigin {
  const { from, kind, range } = reference;
  if (from === undefined || from === "") return { kind: "context" };
  if (/^[+-]?\d+$/.test(from)) {
    const stageIndex = Number(from);
    if (stageIndex >= 0 && stageIndex < stages.length) return { kind: "stage", stageIndex };
    const flag = kind === "RUN" ? "RUN --mount=from" : `${kind} --from`;
    throw new DockerfileError(`Cannot use ${flag}="${from}": there is no stage of that index`, range);
  }
  const name = from.toLowerCase();
  const earlier = findBaseStage(stages, name, current);
  const stageIndex = earlier ?? stages.findIndex((stage) => stage.from.stageName === name);
  return stageIndex < 0 ? { kind: "image", name: from } : { kind: "stage", stageIndex };
}

/** Throws DockerfileError when a stage needs itself, at the instruction that closes the circle. */
export function checkCycles(nodes: readonly GraphStage[]): void {
  const done = new Set<number>();
  for (const { stage } of nodes) visit(nodes, stage.index, done);
}

/**
 * Finds the stages that `targets` need, themselves included, in an order in which each comes after those it needs. Throws
 * DockerfileError for circles and for references to stages that come later in the file.
 */
export function reachableStages(nodes: readonly GraphStage[], targets: readonly number[]): readonly number[] {
  const done = new Set<number>();
  for (const target of targets) visit(nodes, target, done);
  const reachable = [...done].sort((a, b) => a - b);
  for (const index of reachable) {
    for (const { verb, stageIndex, range } of dependenciesOf(nodes, index)) {
      if (stageIndex < index) continue;
      const later = describeStage(nodes, stageIndex);
      const reason = `it is defined after stage ${describeStage(nodes, index)}, which needs it`;
      throw new DockerfileError(`Cannot ${verb} from stage ${later}: ${reason}`, range);
    }
  }
  return reachable;
}

/** Names of stages, for suggestions. */
export function stageNames(stages: readonly Stage[]): readonly string[] {
  return stages.flatMap((stage) => stage.from.stageName ?? []);
}

/** Walks depth first from `start`, with a stack of its own: hostile files have more stages than a call stack holds. */
function visit(nodes: readonly GraphStage[], start: number, done: Set<number>): void {
  if (done.has(start)) return;
  const path = new Set([start]);
  const stack = [{ index: start, pending: [...dependenciesOf(nodes, start)] }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.pending.shift();
    if (next === undefined) {
      stack.pop();
      path.delete(top.index);
      done.add(top.index);
    } else if (path.has(next.stageIndex)) {
      const name = describeStage(nodes, next.stageIndex);
      throw new DockerfileError(`Cannot plan stage ${name}: it depends on itself`, next.range);
    } else if (!done.has(next.stageIndex)) {
      path.add(next.stageIndex);
      stack.push({ index: next.stageIndex, pending: [...dependenciesOf(nodes, next.stageIndex)] });
    }
  }
}

function dependenciesOf(nodes: readonly GraphStage[], index: number): readonly Dependency[] {
  const node = nodes[index];
  if (node === undefined) return [];
  const { range } = node.stage.from;
  const base = node.baseStage === undefined ? [] : [{ verb: "build", stageIndex: node.baseStage, range }];
  const stages = nodes.map(({ stage }) => stage);
  const used = node.instructions.flatMap(filesReferences).flatMap((reference) => {
    const origin = copyOrigin(stages, index, reference);
    const verb = reference.kind === "RUN" ? "mount" : "copy";
    return origin.kind === "stage" ? [{ verb, stageIndex: origin.stageIndex, range: reference.range }] : [];
  });
  return [...base, ...used];
}

/** Everything of an instruction that says where files come from: `--from`, and `from` of mounts. */
export function filesReferences(instruction: StageInstruction): readonly FilesReference[] {
  switch (instruction.kind) {
    case "COPY":
    case "ADD":
      return [instruction];
    case "RUN": {
      const { kind, range, mounts } = instruction;
      const names = mounts.flatMap(({ text }) => mountFrom(text) ?? []);
      return names.filter((from) => from !== "scratch" && !from.includes("$")).map((from) => ({ kind, range, from }));
    }
    default:
      return [];
  }
}

function describeStage(nodes: readonly GraphStage[], index: number): string {
  return `"${nodes[index]?.stage.from.stageName ?? index}"`;
}
