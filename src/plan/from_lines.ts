/**
 * What the FROM lines mean once global variables are in: which stage, which image or scratch, for which platform. Done for
 * every stage of the file, needed or not, as their text must be right; nothing is resolved here.
 */
import { expandWord } from "../dockerfile/expand.ts";
import { type Dockerfile, DockerfileError, type SourceRange, type Stage } from "../dockerfile/instruction.ts";
import { suggest } from "../dockerfile/suggest.ts";
import { FormatError } from "../errors.ts";
import { parsePlatform, type Platform } from "../oci/platform.ts";
import { parseImageName, type Reference } from "../oci/reference.ts";
import { type GlobalScope, globalScope } from "./args.ts";
import type { PlanOptions, PlanWarning } from "./plan.ts";
import { findBaseStage } from "./stage_graph.ts";

/** What a stage starts from, by name. */
export type Origin =
  | { readonly kind: "scratch"; readonly platform: Platform }
  | { readonly kind: "stage"; readonly stageIndex: number }
  | { readonly kind: "image"; readonly reference: Reference; readonly platform: Platform };

/** The origins of all stages, by index, and what is doubtful about them. */
export interface Origins {
  readonly origins: readonly Origin[];
  readonly warnings: readonly PlanWarning[];
}

/** Expands and reads all FROM lines. Throws DockerfileError for blank or impossible names and platforms. */
export function readOrigins(dockerfile: Dockerfile, scope: GlobalScope, options: PlanOptions): Origins {
  const warnings: PlanWarning[] = [];
  const origins = dockerfile.stages.map((stage) => {
    const expand = (text: string): string =>
      expandWord(text, scope.values, {
        escape: dockerfile.directives.escape,
        range: stage.from.range,
        onUndefined: (name) => warnings.push(...undeclaredWarning(name, scope, stage.from.range)),
      });
    return readOrigin(dockerfile.stages, stage, { expand, targetPlatform: options.targetPlatform });
  });
  return { origins, warnings: [...warnings, ...defaultWarnings(dockerfile, options)] };
}

/** Reads an image name of the Dockerfile. Throws DockerfileError with `range`. */
export function readReference(text: string, range: SourceRange, hint?: string): Reference {
  return withRange(range, () => parseImageName(text), hint);
}

function readOrigin(
  stages: readonly Stage[],
  stage: Stage,
  scope: { readonly expand: (text: string) => string; readonly targetPlatform: Platform },
): Origin {
  const { from, index } = stage;
  const image = scope.expand(from.image);
  if (image === "") {
    throw new DockerfileError(`Cannot use base image "${from.image}": the name is blank once expanded`, from.range);
  }
  const platform = from.platform === undefined
    ? scope.targetPlatform
    : readPlatform(from.platform, scope.expand(from.platform), from.range);
  const stageIndex = findBaseStage(stages, image, index);
  if (stageIndex !== undefined) return { kind: "stage", stageIndex };
  if (image === "scratch") return { kind: "scratch", platform };
  const isMiscased = findBaseStage(stages, image.toLowerCase(), index) !== undefined;
  const hint = isMiscased ? `The stage of that name is "${image.toLowerCase()}" for FROM` : undefined;
  return { kind: "image", reference: readReference(image, from.range, hint), platform };
}

function readPlatform(written: string, expanded: string, range: SourceRange): Platform {
  if (expanded === "") {
    throw new DockerfileError(`Cannot use platform "${written}": it is empty once expanded`, range);
  }
  return withRange(range, () => parsePlatform(expanded));
}

function undeclaredWarning(name: string, scope: GlobalScope, range: SourceRange): readonly PlanWarning[] {
  if (scope.declared.has(name)) return [];
  const near = suggest(name, scope.declared);
  const question = near === undefined ? "" : ` (did you mean ${near}?)`;
  return [{ rule: "UndefinedArgInFrom", message: `FROM argument '${name}' is not declared${question}`, range }];
}

/** Whether a build without any build-arg would find valid names. */
function defaultWarnings(dockerfile: Dockerfile, options: PlanOptions): readonly PlanWarning[] {
  if (!dockerfile.stages.some(({ from }) => from.image.includes("$"))) return [];
  const { escape } = dockerfile.directives;
  const values = attempt(() => globalScope(dockerfile, { ...options, buildArgs: new Map() }).values);
  return dockerfile.stages.flatMap(({ from }) => {
    if (values === undefined) return [];
    const image = attempt(() => expandWord(from.image, values, { escape }));
    const isStage = dockerfile.stages.some((stage) => stage.from.stageName === image);
    if (image === undefined || isStage || attempt(() => parseImageName(image)) !== undefined) return [];
    const message = `Default value for ARG ${from.image} results in empty or invalid base image name`;
    return [{ rule: "InvalidDefaultArgInFrom", message, range: from.range }];
  });
}

/** The value of `read`, or undefined when the text it reads is at fault. */
function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error: unknown) {
    if (error instanceof DockerfileError || error instanceof FormatError) return undefined;
    throw error;
  }
}

function withRange<Value>(range: SourceRange, read: () => Value, hint?: string): Value {
  try {
    return read();
  } catch (error: unknown) {
    if (error instanceof FormatError) throw new DockerfileError(error.message, range, { cause: error, hint });
    throw error;
  }
}
