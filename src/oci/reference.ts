/**
 * Image references: which registry, which repository, which tag or digest. Docker Hub's short names are completed.
 * Source: distribution reference grammar; distribution-spec, pulling manifests.
 */
import { FormatError } from "../errors.ts";
import { type Digest, isDigest } from "./digest.ts";
import { formatLocalImage, type LocalImage, parseLocalImage } from "./local_image.ts";

/** A complete name. Without `tag` and `digest` it means "latest"; with both, the digest decides. */
export interface Reference {
  /** Host and optional port: "index.docker.io", "127.0.0.1:5000". */
  readonly registry: string;
  /** "library/debian". */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
  /** Set for an image in files: `registry` and `repository` are then its kind and its path, and no registry is asked. */
  readonly local?: LocalImage;
}

/** Docker Hub's registry host, under its canonical name. */
export const DOCKER_HUB = "index.docker.io";
const DOCKER_HUB_ALIASES: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Reads `[registry/]repository[:tag][@digest]`. Throws FormatError, naming what is wrong.
 *
 * @example
 * ```ts
 * import { formatReference, parseReference } from "./reference.ts";
 * import { equal } from "node:assert/strict";
 * equal(formatReference(parseReference("debian")), "index.docker.io/library/debian:latest");
 * equal(parseReference("127.0.0.1:5000/a/b:1").registry, "127.0.0.1:5000");
 * ```
 */
export function parseReference(text: string): Reference {
  const fail = (reason: string): never => {
    throw new FormatError(`Cannot read image reference "${text}": ${reason}`);
  };
  const [beforeDigest = "", digestText, ...rest] = text.split("@");
  if (rest.length > 0 || (digestText !== undefined && !isDigest(digestText))) {
    return fail('the part after "@" is not a sha256 digest');
  }
  const { name, tag } = splitTag(beforeDigest);
  if (tag !== undefined && !TAG.test(tag)) return fail(`"${tag}" is not a tag`);
  const { registry, path } = splitRegistry(name);
  if (!REGISTRY.test(registry)) return fail(`"${registry}" is not a registry host`);
  if (path === "") return fail("the repository is empty");
  if (path !== path.toLowerCase()) return fail(`repository "${path}" must be lower case`);
  const repository = registry === DOCKER_HUB && !path.includes("/") ? `library/${path}` : path;
  if (!REPOSITORY.test(repository)) return fail(`"${path}" is not a repository name`);
  const withTag = tag === undefined ? { registry, repository } : { registry, repository, tag };
  return digestText === undefined ? withTag : { ...withTag, digest: digestText as Digest };
}

/**
 * Reads what FROM and COPY --from name: a reference, or an image in files (`oci-layout://PATH`, `docker-archive://PATH`).
 * Throws FormatError.
 */
export function parseImageName(text: string): Reference {
  const local = parseLocalImage(text);
  return local === undefined ? parseReference(text) : { registry: local.kind, repository: local.path, local };
}

/** The complete text; "latest" is written where neither tag nor digest is there. */
export function formatReference(reference: Reference): string {
  if (reference.local !== undefined) return formatLocalImage(reference.local);
  const name = repositoryName(reference);
  const tag = reference.tag ?? (reference.digest === undefined ? "latest" : undefined);
  return `${name}${tag === undefined ? "" : `:${tag}`}${reference.digest === undefined ? "" : `@${reference.digest}`}`;
}

/** Registry and repository, without tag and digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** What to ask the registry for: the digest if there is one, else the tag, else "latest". */
export function referenceTarget(reference: Reference): string {
  return reference.digest ?? reference.tag ?? "latest";
}

function splitTag(text: string): { name: string; tag: string | undefined } {
  const colon = text.lastIndexOf(":");
  if (colon < 0 || text.indexOf("/", colon) >= 0) return { name: text, tag: undefined };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first.startsWith("[") ||
    first !== first.toLowerCase();
  if (!isHost) return { registry: DOCKER_HUB, path: name };
  const registry = DOCKER_HUB_ALIASES.has(first) ? DOCKER_HUB : first;
  return { registry, path: name.slice(slash + 1) };
}
