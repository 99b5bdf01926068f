/**
 * `--build-context NAME=…`: what stands in for the image or stage of that name in FROM, COPY --from and RUN --mount from=.
 * Names count as references do: "alpine", "alpine:latest" and "docker.io/library/alpine" are one. Source: Docker's named
 * contexts; BuildKit's dockerui.
 */
import type { GitReference } from "../context/git_reference.ts";
import type { Dockerfile, SourceRange } from "../dockerfile/instruction.ts";
import { suggestHint } from "../dockerfile/suggest.ts";
import { FormatError } from "../errors.ts";
import { DOCKER_HUB, parseReference, type Reference } from "../oci/reference.ts";
import type { CopyStep } from "./plan.ts";
import { filesReferences } from "./stage_graph.ts";

/** Files from elsewhere: a local folder, an archive behind a URL, a git repository. */
export type NamedFiles =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "git"; readonly reference: GitReference };

/** What a name stands for. */
export type NamedContext = NamedFiles | { readonly kind: "image"; readonly reference: Reference };

/** All of them, by {@link contextName}. */
export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** A context that was found, under its name. */
export interface FoundContext {
  readonly name: string;
  readonly context: NamedContext;
}

const LIBRARY = "library/";

/** Names that mean something else already. */
export const RESERVED_NAMES: readonly string[] = ["scratch", "context"];

/** The one spelling of a name: as short as it can be. Throws FormatError for what is no reference. */
export function contextName(text: string): string {
  const { registry, repository, tag, digest } = parseReference(lowerName(text));
  const isHub = registry === DOCKER_HUB;
  const path = isHub && repository.startsWith(LIBRARY) ? repository.slice(LIBRARY.length) : repository;
  const name = isHub ? path : `${registry}/${path}`;
  return name + (tag === undefined || tag === "latest" ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

/** The context that replaces the stage or image `name`; undefined when there is none. */
export function findContext(contexts: NamedContexts | undefined, name: string): FoundContext | undefined {
  if (contexts === undefined || contexts.size === 0 || RESERVED_NAMES.includes(name)) return undefined;
  const wanted = attemptName(name);
  const context = wanted === undefined ? undefined : contexts.get(wanted);
  return wanted === undefined || context === undefined ? undefined : { name: wanted, context };
}

/** `dockerfile` whose stages that a context replaces do nothing. */
export function withoutReplacedStages(dockerfile: Dockerfile, contexts: NamedContexts | undefined): Dockerfile {
  if (contexts === undefined || contexts.size === 0) return dockerfile;
  const stages = dockerfile.stages.map((stage) => {
    const { stageName } = stage.from;
    const isReplaced = stageName !== undefined && findContext(contexts, stageName) !== undefined;
    return isReplaced ? { ...stage, instructions: [] } : stage;
  });
  return { ...dockerfile, stages };
}

/** The step that puts the files of a context into a stage FROM it, with the history that BuildKit gives such a layer. */
export function contextStep(
  { name, files }: { readonly name: string; readonly files: NamedFiles },
  range: SourceRange,
): CopyStep {
  return {
    kind: "copy",
    range,
    title: `FROM ${name} (build context)`,
    history: "buildkit.exporter.image.v0",
    instruction: "COPY",
    source: { kind: "named", name, files },
    patterns: ["/"],
    inlineFiles: [],
    destination: "/",
    exclude: [],
    unpack: false,
    parents: false,
    link: false,
  };
}

/** All names of stages and images that are in the file; `bases` are those of its FROM lines, expanded. */
export function mentionedNames(dockerfile: Dockerfile, bases: readonly string[]): readonly string[] {
  const instructions = dockerfile.stages.flatMap((stage) => stage.instructions);
  const sources = instructions.flatMap(filesReferences).flatMap(({ from }) => from ?? []);
  return [...bases, ...dockerfile.stages.flatMap((stage) => stage.from.stageName ?? []), ...sources];
}

/** A sentence for each context that nothing in the file names; `mentioned` are all names that are in it. */
export function unusedContexts(
  contexts: NamedContexts | undefined,
  mentioned: readonly string[],
): readonly string[] {
  const used = new Set(mentioned.map(attemptName));
  return [...contexts?.keys() ?? []].filter((name) => !used.has(name)).map((name) => {
    const hint = suggestHint(name, mentioned);
    const question = hint === undefined ? "" : ` (${hint.charAt(0).toLowerCase()}${hint.slice(1)})`;
    return `Build context "${name}" is not used: no FROM, --from or mount names it${question}`;
  });
}

/** Stages go by their name in any case. */
function lowerName(text: string): string {
  const colon = text.lastIndexOf(":");
  return colon > text.lastIndexOf("/") ? text.slice(0, colon).toLowerCase() + text.slice(colon) : text.toLowerCase();
}

function attemptName(text: string): string | undefined {
  try {
    return contextName(text);
  } catch (error: unknown) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
