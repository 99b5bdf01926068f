/** Image manifests and indexes, of both families. Source: image-spec manifest.md, image-index.md; Docker's schema 2. */
import type { Descriptor } from "./descriptor.ts";

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
