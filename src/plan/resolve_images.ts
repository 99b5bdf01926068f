/** Asks the resolver for the images that stages need: all at once, each once, with the same error whoever fails first. */
import { DockerfileError, InstructionError, type SourceRange } from "../dockerfile/instruction.ts";
import { suggestHint } from "../dockerfile/suggest.ts";
import { errorText, isBuilderError } from "../errors.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { BaseResolver, ResolvedImage } from "./plan.ts";

/** One image that is needed, and where the Dockerfile says so. */
export interface ImageRequest {
  readonly reference: Reference;
  readonly platform: Platform;
  readonly range: SourceRange;
  /** The name as written, which may have meant a stage. */
  readonly name: string;
}

/** Resolved images by {@link imageKey}. */
export type ResolvedImages = ReadonlyMap<string, ResolvedImage>;

/** What makes two requests the same image. */
export function imageKey(reference: Reference, platform: Platform): string {
  return `${formatReference(reference)} ${formatPlatform(platform)}`;
}

/**
 * Resolves those of `requests` that `known` lacks, and gives both. The resolver's error of the first failing request is
 * thrown, as the cause of an InstructionError; where a stage has nearly the image's name, as the cause of a DockerfileError that asks whether it was meant.
 */
export async function resolveImages(
  requests: readonly ImageRequest[],
  known: ResolvedImages,
  ports: { readonly resolver: BaseResolver; readonly stageNames: readonly string[] },
): Promise<ResolvedImages> {
  const wanted = new Map<string, ImageRequest>();
  for (const request of requests) {
    const key = imageKey(request.reference, request.platform);
    if (!known.has(key) && !wanted.has(key)) wanted.set(key, request);
  }
  const entries = [...wanted];
  const outcomes = await Promise.allSettled(
    entries.map(([, { reference, platform }]) => ports.resolver.resolve(reference, platform)),
  );
  const resolved = new Map(known);
  entries.forEach(([key, request], index) => {
    const outcome = outcomes[index];
    if (outcome?.status === "rejected") throw explain(outcome.reason, request, ports.stageNames);
    if (outcome !== undefined) resolved.set(key, outcome.value);
  });
  return resolved;
}

function explain(error: unknown, request: ImageRequest, stageNames: readonly string[]): unknown {
  const hint = suggestHint(request.name, stageNames);
  if (hint === undefined) {
    return isBuilderError(error) && error.code !== "cancelled" ? new InstructionError(error, request.range) : error;
  }
  const message = `Cannot use image "${request.name}": ${errorText(error)}`;
  return new DockerfileError(message, request.range, { cause: error, hint: hint.replace('"', 'stage "') });
}
