/** Plans a Dockerfile for a test: a request in JSON's shape, and a resolver that knows the images it names and no other. */
import type { Dockerfile, StageInstruction } from "../../src/dockerfile/instruction.ts";
import { buildContexts } from "../../src/cli/build_contexts.ts";
import { parseDockerfile } from "../../src/dockerfile/parse_dockerfile.ts";
import { UnsupportedError } from "../../src/errors.ts";
import { MEDIA_TYPES } from "../../src/oci/descriptor.ts";
import { sha256 } from "../../src/oci/digest.ts";
import type { ContainerConfig, ImageConfig } from "../../src/oci/image_config.ts";
import { formatPlatform, parsePlatform, type Platform } from "../../src/oci/platform.ts";
import { formatReference, parseReference, type Reference } from "../../src/oci/reference.ts";
import type { ConfigInstruction } from "../../src/plan/config_state.ts";
import { makePlan } from "../../src/plan/make_plan.ts";
import type { BaseResolver, Plan, PlanOptions, ResolvedImage } from "../../src/plan/plan.ts";

/** An image that the resolver knows. */
export interface KnownImage {
  readonly config?: ContainerConfig;
  readonly author?: string;
  /** What the image says it is for; the platform that was asked for when absent. */
  readonly platform?: string;
}

/** PlanOptions as JSON has them; everything is optional, platforms are linux/amd64. */
export interface PlanRequest {
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly targetPlatform?: string;
  readonly buildPlatform?: string;
  readonly images?: Readonly<Record<string, KnownImage>>;
  /** Values of --build-context, by name. */
  readonly contexts?: Readonly<Record<string, string>>;
}

/** The options that `request` stands for. */
export function planOptions(request: PlanRequest = {}): PlanOptions {
  return {
    buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
    labels: new Map(Object.entries(request.labels ?? {})),
    targetPlatform: parsePlatform(request.targetPlatform ?? "linux/amd64"),
    buildPlatform: parsePlatform(request.buildPlatform ?? "linux/amd64"),
    namedContexts: buildContexts(Object.entries(request.contexts ?? {}).map((entry) => entry.join("="))),
    ...(request.target === undefined ? {} : { target: request.target }),
  };
}

/** Resolves the images of a request, and keeps a list of what it was asked for. */
export class FakeResolver implements BaseResolver {
  readonly asked: string[] = [];
  readonly #images: ReadonlyMap<string, KnownImage>;

  constructor(images: Readonly<Record<string, KnownImage>> = {}) {
    this.#images = new Map(
      Object.entries(images).map(([name, image]) => [formatReference(parseReference(name)), image]),
    );
  }

  resolve(reference: Reference, platform: Platform): Promise<ResolvedImage> {
    const name = formatReference(reference);
    this.asked.push(`${name} ${formatPlatform(platform)}`);
    const image = this.#images.get(name);
    if (image === undefined) return Promise.reject(new UnsupportedError(`Cannot resolve ${name}: no such image`));
    return Promise.resolve(resolvedImage(reference, image, platform));
  }
}

/** Parses `text`. */
export function parseText(text: string): Dockerfile {
  return parseDockerfile(new TextEncoder().encode(text));
}

/** Parses `lines` as the instructions of a stage; the first is on line 2. */
export function parseStage(lines: string): readonly StageInstruction[] {
  return parseText(`FROM scratch\n${lines}\n`).stages[0]?.instructions ?? [];
}

/** Parses `lines` as instructions that change the config. */
export function parseConfigStage(lines: string): readonly ConfigInstruction[] {
  return parseStage(lines).map((instruction) => {
    switch (instruction.kind) {
      case "RUN":
      case "COPY":
      case "ADD":
      case "ARG":
        throw new TypeError(`${instruction.kind} changes no config`);
      default:
        return instruction;
    }
  });
}

/** Parses `line` as one instruction, on line 2, that must be of the kind `kind`. */
export function parseOne<Kind extends StageInstruction["kind"]>(
  kind: Kind,
  line: string,
): Extract<StageInstruction, { readonly kind: Kind }> {
  const [instruction] = parseStage(line);
  if (!isOfKind(instruction, kind)) throw new TypeError(`"${line}" is no ${kind}`);
  return instruction;
}

/** Parses and plans `text`. */
export function planText(text: string, request: PlanRequest = {}): Promise<Plan> {
  return makePlan(parseText(text), planOptions(request), new FakeResolver(request.images));
}

/** An image without layers; its digest stands for its name and platform. */
export function resolvedImage(reference: Reference, image: KnownImage, platform: Platform): ResolvedImage {
  const size = 100;
  const digest = sha256(new TextEncoder().encode(`${formatReference(reference)} ${formatPlatform(platform)}`));
  const imageConfig: ImageConfig = {
    ...(image.platform === undefined ? platform : parsePlatform(image.platform)),
    ...(image.author === undefined ? {} : { author: image.author }),
    config: image.config ?? {},
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  };
  const config = { mediaType: MEDIA_TYPES.ociConfig, digest, size };
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] } as const;
  const manifestDescriptor = { mediaType: MEDIA_TYPES.ociManifest, digest, size };
  return { reference, digest, manifest, manifestDescriptor, config: imageConfig };
}

function isOfKind<Kind extends StageInstruction["kind"]>(
  instruction: StageInstruction | undefined,
  kind: Kind,
): instruction is Extract<StageInstruction, { readonly kind: Kind }> {
  // CMD and ENTRYPOINT, COPY and ADD share a type each, which Extract finds only by the union of their kinds.
  return instruction?.kind === kind;
}
