/** Build checks of FROM lines: variables that nobody declares, defaults that make no name, platforms that say nothing. */
import { type ExpandOptions, expandWord } from "../dockerfile/expand.ts";
import { type Dockerfile, DockerfileError, type FromInstruction, type Stage } from "../dockerfile/instruction.ts";
import { suggest } from "../dockerfile/suggest.ts";
import { FormatError } from "../errors.ts";
import { formatPlatform, parsePlatform } from "../oci/platform.ts";
import { parseImageName } from "../oci/reference.ts";
import { type GlobalScope, globalScope } from "./args.ts";
import type { PlanOptions, PlanWarning } from "./plan.ts";
import { checkWarning } from "./stage_checks.ts";

const TARGET_PLATFORM = "TARGETPLATFORM";

/** Finds what is doubtful about the FROM lines, whose text can be expanded. */
export function findFromDoubts(
  dockerfile: Dockerfile,
  scope: GlobalScope,
  options: PlanOptions,
): readonly PlanWarning[] {
  const warnings = dockerfile.stages.flatMap((stage) => findStageDoubts(stage, dockerfile, scope));
  return [...warnings, ...findDefaultDoubts(dockerfile, options)];
}

/** A word of FROM with its variables replaced, and which those were. */
interface Expansion {
  readonly text: string;
  readonly set: ReadonlySet<string>;
  readonly unset: ReadonlySet<string>;
}

function findStageDoubts({ from }: Stage, dockerfile: Dockerfile, scope: GlobalScope): readonly PlanWarning[] {
  const { escape } = dockerfile.directives;
  const expand = (text: string): Expansion => expandNoting(text, { escape, range: from.range }, scope);
  const platform = from.platform === undefined ? undefined : expand(from.platform);
  const image = expand(from.image);
  const unset = new Set([...image.unset, ...platform?.unset ?? []]);
  return [
    ...[...unset].flatMap((name) => findUndeclared(name, scope, from)),
    ...(platform === undefined ? [] : findPlatformDoubts(from, platform, scope)),
  ];
}

function expandNoting(text: string, options: ExpandOptions, { values }: GlobalScope): Expansion {
  const set = new Set<string>();
  const unset = new Set<string>();
  const lookup = {
    get: (name: string): string | undefined => {
      const value = values.get(name);
      if (value !== undefined) set.add(name);
      return value;
    },
  };
  const onUndefined = (name: string): void => void unset.add(name);
  return { text: expandWord(text, lookup, { ...options, onUndefined }), set, unset };
}

function findUndeclared(name: string, scope: GlobalScope, from: FromInstruction): readonly PlanWarning[] {
  if (scope.declared.has(name)) return [];
  const near = suggest(name, scope.declared);
  const question = near === undefined ? "" : ` (did you mean ${near}?)`;
  return [checkWarning("UndefinedArgInFrom", from.range, name, question)];
}

/** The platform of the build is the default; a fixed one breaks builds for others, unless the stage's name tells of it. */
function findPlatformDoubts(from: FromInstruction, platform: Expansion, scope: GlobalScope): readonly PlanWarning[] {
  const { set, unset, text } = platform;
  if (set.size === 1 && unset.size === 0 && set.has(TARGET_PLATFORM) && text === scope.values.get(TARGET_PLATFORM)) {
    return [checkWarning("RedundantTargetPlatform", from.range, from.platform ?? "")];
  }
  if (set.size > 0 || unset.size > 0) return [];
  const fixed = attempt(() => parsePlatform(text));
  const name = from.stageName ?? "";
  if (fixed === undefined || name.includes(fixed.os) || name.includes(fixed.architecture)) return [];
  return [checkWarning("FromPlatformFlagConstDisallowed", from.range, formatPlatform(fixed))];
}

/** Whether a build without any build-arg would find valid names. */
function findDefaultDoubts(dockerfile: Dockerfile, options: PlanOptions): readonly PlanWarning[] {
  if (!dockerfile.stages.some(({ from }) => from.image.includes("$"))) return [];
  const { escape } = dockerfile.directives;
  const values = attempt(() => globalScope(dockerfile, { ...options, buildArgs: new Map() }).values);
  return dockerfile.stages.flatMap(({ from }) => {
    if (values === undefined) return [];
    const image = attempt(() => expandWord(from.image, values, { escape, range: from.range }));
    const isStage = dockerfile.stages.some((stage) => stage.from.stageName === image);
    if (image === undefined || isStage || attempt(() => parseImageName(image)) !== undefined) return [];
    return [checkWarning("InvalidDefaultArgInFrom", from.range, from.image)];
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
