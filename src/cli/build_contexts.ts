/** `--build-context NAME=SOURCE`: which files or which image a name of the Dockerfile stands for. */
import { isGitReference, parseGitReference } from "../context/git_reference.ts";
import { redactUrl } from "../context/remote_url.ts";
import { suggestHint } from "../dockerfile/suggest.ts";
import { BuilderError, errorText } from "../errors.ts";
import { parseImageName, parseReference } from "../oci/reference.ts";
import { contextName, type NamedContext, type NamedContexts, RESERVED_NAMES } from "../plan/named_contexts.ts";
import { UsageError } from "./flag.ts";

const FLAG = "--build-context";
const DOCKER_IMAGE = "docker-image://";
const SCHEMES: readonly string[] = [
  "docker-image",
  "oci-layout",
  "docker-archive",
  "http",
  "https",
  "git",
  "ssh",
  "dir",
];

/** The contexts that the values of the flag name; of equal names the last counts. Throws UsageError. */
export function buildContexts(texts: readonly string[]): NamedContexts {
  return new Map(texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals <= 0 || equals === text.length - 1) {
      throw new UsageError(`Cannot use "${redactUrl(text)}" for ${FLAG}: expected NAME=SOURCE`);
    }
    const source = text.slice(equals + 1);
    return [readName(text.slice(0, equals)), readSource(source)] as const;
  }));
}

function readName(text: string): string {
  if (RESERVED_NAMES.includes(text)) {
    throw new UsageError(`Cannot use "${text}" for ${FLAG}: the name means something else and cannot be replaced`);
  }
  return inUsage(text, () => contextName(text));
}

function readSource(text: string): NamedContext {
  if (text.startsWith(DOCKER_IMAGE)) {
    return { kind: "image", reference: inUsage(text, () => parseReference(text.slice(DOCKER_IMAGE.length))) };
  }
  if (/^(?:oci-layout|docker-archive):\/\//.test(text)) {
    // A layout's digest decides where a tag is given, too.
    const image = text.replace(/:[^:/@]+(?=@sha256:)/, "");
    return { kind: "image", reference: inUsage(text, () => parseImageName(image)) };
  }
  if (isGitReference(text)) return { kind: "git", reference: inUsage(text, () => parseGitReference(text)) };
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined && text.startsWith("target:")) throw unusable(text, "targets of bake are not supported yet");
  if (scheme === undefined) return { kind: "folder", path: text };
  if (scheme === "dir") return { kind: "folder", path: text.slice("dir://".length) };
  if (scheme !== "http" && scheme !== "https") {
    throw unusable(text, `scheme "${scheme}://" is not supported`, suggestHint(scheme, SCHEMES));
  }
  if (!URL.canParse(text)) throw unusable(text, "it is not a valid URL");
  return { kind: "url", url: text };
}

function inUsage<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error: unknown) {
    if (!(error instanceof BuilderError)) throw error;
    throw unusable(text, errorText(error));
  }
}

function unusable(text: string, reason: string, hint?: string): UsageError {
  return new UsageError(`Cannot use "${redactUrl(text)}" for ${FLAG}: ${reason}`, { hint });
}
