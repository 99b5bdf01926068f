/**
 * What the FROM lines mean once global variables are in: which stage, which image or scratch, for which platform. Done for
 * every stage of the file, needed or not, as their text must be right; nothing is resolved here.
 */
import { expandWord } from "../dockerfile/expand.ts";
import { type Dockerfile, DockerfileError, type SourceRange, type Stage } from "../dockerfile/instruction.ts";
import { FormatError } from "../errors.ts";
import { parsePlatform, type Platform } from "../oci/platform.ts";
import { parseImageName, type Reference } from "../oci/reference.ts";
import type { GlobalScope } from "./args.ts";
import { findFromDoubts } from "./from_checks.ts";
import { findContext, type FoundContext, type NamedFiles } from "./named_contexts.ts";
import type { PlanOptions, PlanWarning } from "./plan.ts";
import { findBaseStage } from "./stage_graph.ts";

/** What a stage starts from, by name. */
export type Origin =
  | { readonly kind: "scratch"; readonly platform: Platform }
  | { readonly kind: "stage"; readonly stageIndex: number }
  | { readonly kind: "image"; readonly reference: Reference; readonly platform: Platform }
  | { readonly kind: "named"; readonly name: string; readonly files: NamedFiles; readonly platform: Platform };

/** The origins of all stages, by index, and what is doubtful about them. */
export interface Origins {
  readonly origins: readonly Origin[];
  /** What FROM names, expanded, by index. */
  readonly names: readonly string[];
  readonly warnings: readonly PlanWarning[];
}

/** Expands and reads all FROM lines. Throws DockerfileError for blank or impossible names and platforms. */
export function readOrigins(dockerfile: Dockerfile, scope: GlobalScope, options: PlanOptions): Origins {
  const names: string[] = [];
  const origins = dockerfile.stages.map((stage) => {
    const expand = (text: string): string =>
      expandWord(text, scope.values, {
        escape: dockerfile.directives.escape,
        range: stage.from.range,
      });
    const image = expand(stage.from.image);
    names.push(image);
    return readOrigin(dockerfile.stages, stage, { expand, image, options });
  });
  return { origins, names, warnings: findFromDoubts(dockerfile, scope, options) };
}

/** Reads an image name of the Dockerfile. Throws DockerfileError with `range`. */
export function readReference(text: string, range: SourceRange, hint?: string): Reference {
  return withRange(range, () => parseImageName(text), hint);
}

function readOrigin(
  stages: readonly Stage[],
  stage: Stage,
  scope: { readonly expand: (text: string) => string; readonly image: string; readonly options: PlanOptions },
): Origin {
  const { from, index } = stage;
  const { image } = scope;
  const { namedContexts, targetPlatform } = scope.options;
  if (image === "") {
    throw new DockerfileError(`Cannot use base image "${from.image}": the name is blank once expanded`, from.range);
  }
  const platform = from.platform === undefined
    ? targetPlatform
    : readPlatform(from.platform, scope.expand(from.platform), from.range);
  const replaced = from.stageName === undefined ? undefined : findContext(namedContexts, from.stageName);
  if (replaced !== undefined) return contextOrigin(replaced, platform);
  const stageIndex = findBaseStage(stages, image, index);
  if (stageIndex !== undefined) return { kind: "stage", stageIndex };
  if (image === "scratch") return { kind: "scratch", platform };
  const named = findContext(namedContexts, image);
  if (named !== undefined) return contextOrigin(named, platform);
  const isMiscased = findBaseStage(stages, image.toLowerCase(), index) !== undefined;
  const hint = isMiscased ? `The stage of that name is "${image.toLowerCase()}" for FROM` : undefined;
  return { kind: "image", reference: readReference(image, from.range, hint), platform };
}

function contextOrigin({ name, context }: FoundContext, platform: Platform): Origin {
  if (context.kind === "image") return { kind: "image", reference: context.reference, platform };
  return { kind: "named", name, files: context, platform };
}

function readPlatform(written: string, expanded: string, range: SourceRange): Platform {
  if (expanded === "") {
    throw new DockerfileError(`Cannot use platform "${written}": it is empty once expanded`, range);
  }
  return withRange(range, () => parsePlatform(expanded));
}

function withRange<Value>(range: SourceRange, read: () => Value, hint?: string): Value {
  try {
    return read();
  } catch (error: unknown) {
    if (error instanceof FormatError) throw new DockerfileError(error.message, range, { cause: error, hint });
    throw error;
  }
}
