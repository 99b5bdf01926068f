/**
 * Finds the stages that the target needs and everything they stand on: base images, images copied from, and the ONBUILD
 * triggers that come with a base. Triggers can name further stages and images, so this goes round until nothing is new.
 */
import { type Dockerfile, DockerfileError } from "../dockerfile/instruction.ts";
import { parseTrigger } from "../dockerfile/parse_dockerfile.ts";
import { type Origin, readReference } from "./from_lines.ts";
import { findContext } from "./named_contexts.ts";
import type { BaseResolver, PlanOptions } from "./plan.ts";
import { imageKey, type ImageRequest, type ResolvedImages, resolveImages } from "./resolve_images.ts";
import {
  checkCycles,
  copyOrigin,
  filesReferences,
  type GraphStage,
  reachableStages,
  stageNames,
} from "./stage_graph.ts";

/** A stage that the target needs. `instructions` begin with `triggerCount` triggers of the base. */
export interface LoadedStage extends GraphStage {
  readonly origin: Origin;
  readonly triggerCount: number;
}

/** The needed stages in the order to build them, and the images that they need. */
export interface LoadedStages {
  readonly stages: readonly LoadedStage[];
  readonly images: ResolvedImages;
}

/** What is known before anything is resolved. */
export interface LoadRequest {
  readonly dockerfile: Dockerfile;
  readonly origins: readonly Origin[];
  /** Stages to build; each with what it needs. */
  readonly targets: readonly number[];
  readonly options: PlanOptions;
  readonly resolver: BaseResolver;
}

/** Loads the stages. Throws DockerfileError for faults of their references and triggers, and what the resolver throws. */
export async function loadStages(request: LoadRequest): Promise<LoadedStages> {
  const { dockerfile, resolver, targets } = request;
  const ports = { resolver, stageNames: stageNames(dockerfile.stages) };
  checkCycles(loadNodes(request, { needed: new Set(), images: new Map() }));
  for (let known: Known = { needed: new Set(), images: new Map() };;) {
    const nodes = loadNodes(request, known);
    const order = reachableStages(nodes, targets);
    const stages = order.flatMap((index) => nodes[index] ?? []);
    const images = await resolveImages(stages.flatMap((stage) => imageRequests(stage, request)), known.images, ports);
    if (order.length === known.needed.size && images.size === known.images.size) return { stages, images };
    known = { needed: new Set(order), images };
  }
}

/** What earlier rounds found. */
interface Known {
  readonly needed: ReadonlySet<number>;
  readonly images: ResolvedImages;
}

/** All stages of the file, those that are known to be needed with the triggers that are known by now. */
function loadNodes(request: LoadRequest, known: Known): readonly LoadedStage[] {
  return request.dockerfile.stages.flatMap((stage) => {
    const origin = request.origins[stage.index];
    if (origin === undefined) return [];
    const texts = known.needed.has(stage.index) ? triggerTexts(request.dockerfile, origin, known.images) : [];
    const triggers = texts.map((text) => parseTrigger(text, stage.from.range));
    const node = { stage, origin, triggerCount: triggers.length, instructions: [...triggers, ...stage.instructions] };
    return [origin.kind === "stage" ? { ...node, baseStage: origin.stageIndex } : node];
  });
}

function triggerTexts(dockerfile: Dockerfile, origin: Origin, images: ResolvedImages): readonly string[] {
  switch (origin.kind) {
    case "scratch":
    case "named":
      return [];
    case "image":
      return images.get(imageKey(origin.reference, origin.platform))?.config.config.OnBuild ?? [];
    case "stage": {
      const base = dockerfile.stages[origin.stageIndex]?.instructions ?? [];
      return base.flatMap((instruction) => instruction.kind === "ONBUILD" ? [instruction.trigger] : []);
    }
  }
}

/** Says in the hint of an error which ONBUILD trigger of the base it is about. */
export function blameTrigger(error: DockerfileError, trigger: string): DockerfileError {
  const line = trigger.split("\n", 1)[0] ?? "";
  const origin = `The base of this stage brings it along: ONBUILD ${line}`;
  const hint = error.hint === undefined ? origin : `${error.hint}. ${origin}`;
  return new DockerfileError(error.message, error.range, { hint, cause: error });
}

function imageRequests(stage: LoadedStage, request: LoadRequest): readonly ImageRequest[] {
  const { from, index } = stage.stage;
  const { origin } = stage;
  const base = origin.kind === "image"
    ? [{ reference: origin.reference, platform: origin.platform, range: from.range, name: from.image }]
    : [];
  const copied = stage.instructions.flatMap(filesReferences).flatMap((files) => {
    const source = copyOrigin(request.dockerfile.stages, index, files);
    if (source.kind !== "image") return [];
    const { range } = files;
    if (source.name === "scratch") {
      throw new DockerfileError('Cannot copy from "scratch": it has no files', range);
    }
    const named = findContext(request.options.namedContexts, source.name)?.context;
    if (named !== undefined && named.kind !== "image") return [];
    const reference = named?.reference ?? readReference(source.name, range);
    return [{ reference, platform: request.options.targetPlatform, range, name: source.name }];
  });
  return [...base, ...copied];
}
