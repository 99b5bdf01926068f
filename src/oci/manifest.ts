/** Image manifests and indexes, of both families. Source: image-spec manifest.md, image-index.md; Docker's schema 2. */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { type Descriptor, MEDIA_TYPES } from "./descriptor.ts";
import { type Digest, isDigest } from "./digest.ts";
import {
  checkDocument,
  decodeJson,
  type DocumentKind,
  encodeJson,
  nonEmptyList,
  nonEmptyMap,
} from "./json_document.ts";

/** One image for one platform: its config and its layers, lowest first. */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Several manifests under one name, chosen by platform. */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The largest manifest or index that is read, in bytes; registries take at least this much. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** The media types of a manifest or index that are understood: what a client asks a registry for. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
];

/**
 * Reads a manifest or an index. The kind is the one that the document's `mediaType` or `contentType` states, else the
 * one its fields show; a document that claims two kinds is refused, since two readers could see two images.
 * Unknown fields are dropped. Throws FormatError.
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): ImageManifest | ImageIndex {
  const document = decodeJson(bytes, MANIFEST);
  const head = checkDocument(HEAD_SCHEMA, document, MANIFEST);
  if (head.schemaVersion !== 2) {
    throw new FormatError(`Cannot read manifest: schema version ${head.schemaVersion ?? "none"} is not supported`, {
      hint: "Push the image again with a current tool; schema 1 images are obsolete",
    });
  }
  const mediaType = decideMediaType(head, contentType);
  if (mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerIndex) {
    return { ...checkDocument(INDEX_SCHEMA, document, INDEX), mediaType };
  }
  return { ...checkDocument(MANIFEST_SCHEMA, document, MANIFEST), mediaType };
}

/** Whether `manifest` is an index. */
export function isIndex(manifest: ImageManifest | ImageIndex): manifest is ImageIndex {
  return "manifests" in manifest;
}

/** The bytes of a manifest or index: compact JSON in the order of the specification's fields, maps sorted. */
export function manifestBytes(manifest: ImageManifest | ImageIndex): Uint8Array<ArrayBuffer> {
  const { schemaVersion, mediaType } = manifest;
  const annotations = nonEmptyMap(manifest.annotations);
  if (isIndex(manifest)) {
    return encodeJson({ schemaVersion, mediaType, manifests: manifest.manifests.map(descriptorDocument), annotations });
  }
  const config = descriptorDocument(manifest.config);
  return encodeJson({ schemaVersion, mediaType, config, layers: manifest.layers.map(descriptorDocument), annotations });
}

function decideMediaType(head: z.infer<typeof HEAD_SCHEMA>, contentType: string | undefined): string {
  const stated = knownMediaType(head.mediaType);
  const received = knownMediaType(contentType);
  if (stated !== undefined && received !== undefined && stated !== received) {
    throw new FormatError(`Cannot read manifest: it says it is "${stated}" but came as "${received}"`);
  }
  const hasIndexFields = head.manifests !== undefined;
  const hasManifestFields = head.layers !== undefined || head.config !== undefined;
  if (hasIndexFields && hasManifestFields) {
    throw new FormatError("Cannot read manifest: it has the fields of a manifest and of an index");
  }
  const known = stated ?? received;
  if (known !== undefined) return known;
  return hasIndexFields ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
}

function knownMediaType(text: string | undefined): string | undefined {
  const type = text?.split(";")[0]?.trim().toLowerCase();
  return type !== undefined && MANIFEST_MEDIA_TYPES.includes(type) ? type : undefined;
}

function descriptorDocument(descriptor: Descriptor): unknown {
  const { mediaType, digest, size, urls, annotations, platform } = descriptor;
  return {
    mediaType,
    digest,
    size,
    urls: nonEmptyList(urls),
    annotations: nonEmptyMap(annotations),
    platform: platform && { architecture: platform.architecture, os: platform.os, variant: platform.variant },
  };
}

const MANIFEST: DocumentKind = { name: "image manifest", maxBytes: MAX_MANIFEST_BYTES };
const INDEX: DocumentKind = { name: "image index", maxBytes: MAX_MANIFEST_BYTES };

const HEAD_SCHEMA = z.object({
  schemaVersion: z.exactOptional(z.number()),
  mediaType: z.exactOptional(z.string()),
  manifests: z.exactOptional(z.unknown()),
  layers: z.exactOptional(z.unknown()),
  config: z.exactOptional(z.unknown()),
});

const ANNOTATIONS_SCHEMA = z.record(z.string(), z.string());

const PLATFORM_SCHEMA = z.object({ os: z.string(), architecture: z.string(), variant: z.exactOptional(z.string()) });

const DESCRIPTOR_SCHEMA = z.object({
  mediaType: z.string(),
  digest: z.custom<Digest>((value) => typeof value === "string" && isDigest(value)),
  size: z.int().check(z.nonnegative()),
  annotations: z.exactOptional(ANNOTATIONS_SCHEMA),
  platform: z.exactOptional(PLATFORM_SCHEMA),
  urls: z.exactOptional(z.array(z.string())),
});

const MANIFEST_SCHEMA = z.object({
  schemaVersion: z.literal(2),
  config: DESCRIPTOR_SCHEMA,
  layers: z._default(z.array(DESCRIPTOR_SCHEMA), []),
  annotations: z.exactOptional(ANNOTATIONS_SCHEMA),
});

const INDEX_SCHEMA = z.object({
  schemaVersion: z.literal(2),
  manifests: z._default(z.array(DESCRIPTOR_SCHEMA), []),
  annotations: z.exactOptional(ANNOTATIONS_SCHEMA),
});
