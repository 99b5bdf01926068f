/**
 * What refers to a manifest: the registry's own list (OCI 1.1), or where it has none, the index under the tag that the
 * specification names after the digest. Source: distribution-spec, listing referrers and referrers tag schema.
 */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import type { StoredManifest } from "../blob/blob_store.ts";
import { type Descriptor, MEDIA_TYPES } from "../oci/descriptor.ts";
import { type Digest, isDigest, parseDigest, sha256 } from "../oci/digest.ts";
import { checkDocument, decodeJson, encodeJson, sortedMap } from "../oci/json_document.ts";
import { MAX_MANIFEST_BYTES } from "../oci/manifest.ts";
import type { RegistryClient } from "./client.ts";

/** One manifest that refers to another. */
export interface Referrer extends Descriptor {
  readonly artifactType?: string;
}

/** What is asked for. */
export interface ReferrersQuery {
  readonly digest: Digest;
  /** Only referrers of this type. */
  readonly artifactType?: string | undefined;
  readonly signal?: AbortSignal;
}

/** The client's calls that referrers need. */
export type ReferrerClient = Pick<RegistryClient, "getReferrers" | "putReferrer" | "getManifest" | "putManifest">;

/** The referrers of a manifest, in the registry's order; empty where there are none. Throws RegistryError and FormatError. */
export async function listReferrers(client: ReferrerClient, query: ReferrersQuery): Promise<readonly Referrer[]> {
  const { digest, artifactType, signal } = query;
  const pages = await client.getReferrers(digest, signal);
  const found = pages === undefined
    ? await taggedReferrers(client, digest, signal)
    : pages.flatMap((page) => readReferrers(page));
  return artifactType === undefined ? found : found.filter((referrer) => referrer.artifactType === artifactType);
}

/**
 * Pushes `manifest`, whose blobs are there and whose `subject` names what it refers to. Where the registry does not list it
 * by itself, the index under the subject's tag gets it. Throws RegistryError, and FormatError without a subject.
 */
export async function pushReferrer(
  client: ReferrerClient,
  manifest: StoredManifest,
  signal?: AbortSignal,
): Promise<Referrer> {
  const head = checkDocument(SUBJECT_SCHEMA, decodeJson(manifest.bytes, MANIFEST), MANIFEST);
  const subject = parseDigest(head.subject.digest);
  const artifactType = head.artifactType || head.config?.mediaType;
  const referrer: Referrer = {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(head.annotations === undefined ? {} : { annotations: head.annotations }),
  };
  if (await client.putReferrer(manifest, signal)) return referrer;
  const known = await taggedReferrers(client, subject, signal);
  if (known.some(({ digest }) => digest === referrer.digest)) return referrer;
  const bytes = indexBytes([...known, referrer]);
  const index = { mediaType: MEDIA_TYPES.ociIndex, digest: sha256(bytes), bytes };
  await client.putManifest(referrersTag(subject), index, signal);
  return referrer;
}

/** The tag of the index that stands in for a list: "sha256-<hex>". */
export function referrersTag(digest: Digest): string {
  return digest.replace(":", "-");
}

async function taggedReferrers(
  client: ReferrerClient,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Referrer[]> {
  const stored = await client.getManifest(referrersTag(digest), signal);
  return stored === undefined ? [] : readReferrers(stored.bytes);
}

function readReferrers(bytes: Uint8Array): readonly Referrer[] {
  const { manifests } = checkDocument(INDEX_SCHEMA, decodeJson(bytes, LIST), LIST);
  return manifests.map(({ digest, ...rest }) => {
    if (!isDigest(digest)) throw new FormatError(`Cannot read ${LIST.name}: "${digest.slice(0, 100)}" is no digest`);
    return { ...rest, digest };
  });
}

function indexBytes(referrers: readonly Referrer[]): Uint8Array<ArrayBuffer> {
  const manifests = referrers.map(({ mediaType, digest, size, artifactType, annotations }) => {
    return { mediaType, digest, size, artifactType, annotations: annotations && sortedMap(annotations) };
  });
  return encodeJson({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
}

const MANIFEST = { name: "manifest with a subject", maxBytes: MAX_MANIFEST_BYTES };
const LIST = { name: "list of referrers", maxBytes: MAX_MANIFEST_BYTES };
const ANNOTATIONS = z.exactOptional(z.record(z.string(), z.string()));
const SUBJECT_SCHEMA = z.object({
  subject: z.object({ digest: z.string() }),
  artifactType: z.exactOptional(z.string()),
  config: z.exactOptional(z.object({ mediaType: z.string() })),
  annotations: ANNOTATIONS,
});
const INDEX_SCHEMA = z.object({
  manifests: z.array(z.object({
    mediaType: z.string(),
    digest: z.string(),
    size: z.number(),
    artifactType: z.exactOptional(z.string()),
    annotations: ANNOTATIONS,
  })),
});
