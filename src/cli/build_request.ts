/** Flag values to a BuildRequest, and the combinations that make no sense. Everything is checked before anything is done. */
import type { BuildRequest, Isolation, LayerOptions, OutputOptions } from "../build/build_request.ts";
import { parseCheckPolicy } from "../dockerfile/directives.ts";
import { BuilderError, errorText } from "../errors.ts";
import type { Compression, ImageFormat } from "../oci/descriptor.ts";
import { parsePlatform, type Platform } from "../oci/platform.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import { buildContexts } from "./build_contexts.ts";
import { cacheOptions } from "./cache_flags.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { byteCount } from "./byte_count.ts";
import { keyValues } from "./key_values.ts";
import { mountRequest } from "./mount_flags.ts";
import { credentialPaths } from "../registry/credentials.ts";
import { registryOptions } from "./registry_flags.ts";

const CHECK_ARG = "BUILDKIT_DOCKERFILE_CHECK";
/** For an error that becomes one about the command line. */
const NO_LINES = { startLine: 0, endLine: 0 };

/** The request that a command line states. Throws UsageError. */
export function buildRequest(values: FlagValues, env: Readonly<Record<string, string>>): BuildRequest {
  const buildPlatform = hostPlatform();
  const targets = values.list("target").flatMap((word) => word.split(",")).filter((word) => word !== "");
  if (targets.length > 1) throw new UsageError("Cannot build several targets: it is not supported yet");
  const workFolder = values.optionalText("kaniko-dir") ?? env.KANIKO_DIR;
  const outputs = outputOptions(values, env);
  const cache = cacheOptions(values, outputs.destinations, outputs.push);
  return {
    context: {
      source: values.text("context"),
      subPath: values.text("context-sub-path"),
      ...(values.isGiven("dockerfile") && { dockerfile: values.text("dockerfile") }),
    },
    plan: {
      buildArgs: buildArgs(values, env),
      ...(targets[0] !== undefined && { target: targets[0] }),
      targetPlatform: customPlatform(values) ?? buildPlatform,
      buildPlatform,
      labels: keyValues("label", values.list("label")),
      namedContexts: buildContexts(values.list("build-context")),
    },
    root: {
      isolation: values.text("isolation") as Isolation,
      force: values.isSet("force"),
      ...(workFolder && { workFolder }),
      ignorePaths: values.list("ignore-path"),
      preCleanup: environmentBoolean(env, "KANIKO_PRE_CLEANUP") ?? values.isSet("pre-cleanup"),
    },
    layers: layerOptions(values),
    registry: registryOptions(values, env),
    credentialPaths: credentialPaths(env),
    outputs,
    ...(cache !== undefined && { cache }),
    isDryRun: values.isSet("dryrun"),
    isCheck: isCheck(values),
    mounts: mountRequest(values, env),
  };
}

function isCheck(values: FlagValues): boolean {
  return values.text("check") !== "false";
}

/** The build-args, SOURCE_DATE_EPOCH of the environment among them unless it is given, as docker's client has it. */
function buildArgs(values: FlagValues, env: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const given = keyValues("build-arg", values.list("build-arg"), (name) => env[name] ?? "");
  const check = given.get(CHECK_ARG);
  if (check !== undefined) inUsage("build-arg", `${CHECK_ARG}=${check}`, () => parseCheckPolicy(check, NO_LINES));
  const epoch = env.SOURCE_DATE_EPOCH ?? "";
  return epoch === "" ? given : new Map([["SOURCE_DATE_EPOCH", epoch], ...given]);
}

function outputOptions(values: FlagValues, env: Readonly<Record<string, string>>): OutputOptions {
  const destinations = values.list("destination").map((text) => destination(text));
  const push = !(environmentBoolean(env, "KANIKO_NO_PUSH") ?? values.isSet("no-push"));
  if (push && destinations.length === 0 && !values.isSet("dryrun") && !isCheck(values)) {
    throw new UsageError("Cannot build: there is no --destination", { hint: "Use --no-push to build without pushing" });
  }
  for (const flag of ["image-name-with-digest-file", "image-name-tag-with-digest-file"]) {
    if (values.text(flag) !== "" && destinations.length === 0) {
      throw new UsageError(`Cannot use --${flag} without a --destination: there is no name to write`);
    }
  }
  const format = values.optionalText("image-format");
  if (format === "oci" && values.text("tar-path") !== "") {
    throw new UsageError("Cannot write an OCI image to --tar-path: the file is a docker-archive", {
      hint: "Use --oci-layout-path, or leave out --image-format=oci",
    });
  }
  if (format === "docker" && values.text("oci-layout-path") !== "") {
    throw new UsageError("Cannot write a Docker image to --oci-layout-path: an OCI layout holds OCI images", {
      hint: "Use --tar-path, or leave out --image-format=docker",
    });
  }
  if (format === "docker" && values.text("compression") === "zstd") {
    throw new UsageError("Cannot use --compression=zstd with --image-format=docker: it has no media type for it");
  }
  return {
    destinations,
    push,
    checkPushPermission: !values.isSet("skip-push-permission-check"),
    ...(format && { format: format as ImageFormat }),
    annotations: Object.fromEntries(keyValues("annotation", values.list("annotation"))),
    ...optionalTexts(values, {
      tarPath: "tar-path",
      ociLayoutPath: "oci-layout-path",
      digestFile: "digest-file",
      imageNameWithDigestFile: "image-name-with-digest-file",
      imageNameTagWithDigestFile: "image-name-tag-with-digest-file",
    }),
  };
}

function layerOptions(values: FlagValues): LayerOptions {
  const level = values.number("compression-level");
  if (level !== -1 && (level < 1 || level > 22)) {
    throw new UsageError(`Cannot use "${level}" for --compression-level: expected 1 to 9 for gzip, 1 to 22 for zstd`);
  }
  const compression = values.text("compression") as Compression;
  if (compression === "gzip" && level > 9) {
    throw new UsageError(`Cannot use "${level}" for --compression-level: gzip has levels 1 to 9`);
  }
  if (compression === "none" && level !== -1) {
    throw new UsageError("Cannot use --compression-level with --compression=none: there is nothing to compress");
  }
  return {
    compression,
    maxUnpackedBytes: byteCount("max-layer-size", values.text("max-layer-size")),
    ...(level !== -1 && { level }),
    ...((values.isSet("single-snapshot") || values.isSet("squash")) && { isSingle: true }),
    ...(values.isSet("reproducible") && { isReproducible: true }),
  };
}

/** The members whose flag is not empty. */
function optionalTexts<K extends string>(
  values: FlagValues,
  flags: Readonly<Record<K, string>>,
): { [P in K]?: string } {
  const entries = Object.entries<string>(flags).filter(([, flag]) => values.text(flag) !== "");
  return Object.fromEntries(entries.map(([key, flag]) => [key, values.text(flag)])) as { [P in K]?: string };
}

function destination(text: string): Reference {
  const reference = inUsage("destination", text, () => parseReference(text));
  if (reference.digest !== undefined) {
    throw new UsageError(`Cannot push to "${text}": a destination has a tag, its digest is what the build makes`);
  }
  return reference;
}

function customPlatform(values: FlagValues): Platform | undefined {
  const text = values.text("custom-platform");
  return text === "" ? undefined : inUsage("custom-platform", text, () => parsePlatform(text));
}

function inUsage<T>(flag: string, text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error: unknown) {
    if (!(error instanceof BuilderError)) throw error;
    throw new UsageError(`Cannot use "${text}" for --${flag}: ${errorText(error)}`, { cause: error });
  }
}

/** A variable that overrides a flag, either way; kaniko takes Go's spellings of true and false only. */
function environmentBoolean(env: Readonly<Record<string, string>>, name: string): boolean | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new UsageError(`Cannot use "${text}" for ${name}: expected true or false`);
}

function hostPlatform(): Platform {
  return { os: "linux", architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64" };
}
